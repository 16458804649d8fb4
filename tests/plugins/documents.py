"""The documents that are written for readers of the project, as tests read them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\S+)?(?: (\S+))?[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: `language` and `mark` are the words after the fence."""

    language: str
    mark: str
    text: str


@dataclass(frozen=True)
class Document:
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        return [Block(a or "", b or "", c) for a, b, c in FENCE.findall(self.text)]

    def block(self, language: str, mark: str) -> str:
        """The one block with these two words."""
        (found,) = [b for b in self.blocks if (b.language, b.mark) == (language, mark)]
        return found.text

    @property
    def code(self) -> list[str]:
        """Everything that is set as code: lines of blocks, indented lines, spans."""
        rest = FENCE.sub("", self.text)
        lines = [line for block in self.blocks for line in block.text.splitlines()]
        lines += [line.strip() for line in rest.splitlines() if line.startswith("    ")]
        return lines + re.findall(r"`([^`]+)`", rest)


def documents() -> list[Document]:
    """Everything that is written for readers of the project."""
    own = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "client" / "README.md"]
    return [Document(path) for path in (*own, *sorted((ROOT / "docs").glob("*.md")))]
