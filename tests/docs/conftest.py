"""The documents, each and all."""

import pytest
from documents import ROOT, Document, documents


@pytest.fixture(params=documents(), ids=lambda found: found.path.name)
def document(request: pytest.FixtureRequest) -> Document:
    """Each document in turn."""
    found: Document = request.param
    return found


@pytest.fixture
def all_documents() -> list[Document]:
    return documents()


@pytest.fixture
def operating() -> Document:
    return Document(ROOT / "docs" / "operating.md")


@pytest.fixture
def gate_document() -> Document:
    return Document(ROOT / "docs" / "gate.md")
