"""One file, looked at: by its name, its bytes and its words. Never raises, whatever the bytes."""

from collections.abc import Iterable
from itertools import islice

from subjectline.intake.attachments import texts
from subjectline.intake.attachments.archives import Budget, is_archive, members
from subjectline.intake.attachments.kinds import by_content
from subjectline.intake.attachments.names import (
    by_name,
    ending_of,
    is_picture,
    names_paper,
    plain_name,
)
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.models.errors import BadInput
from subjectline.models.files import Apart
from subjectline.models.masking import has_resident_number

MOST_PARTS = 50
# Inside, these are told apart from what the file itself is.
_ALONE = frozenset({Apart.RESIDENT_NUMBER, Apart.MACROS, Apart.ARCHIVE_ENCRYPTED, Apart.MAY_SHOW})
_DOCUMENTS = ("openxmlformats", "opendocument", "hwp+zip", "application/epub")
_MACRO_PARTS = ("vbaproject.bin", "vbadata.xml", "xl/macrosheets/", "basic/script")


def look(
    name: str, content_type: str, content: bytes, budget: Budget | None = None
) -> tuple[Apart, ...]:
    """Why the file is to be kept apart, in the order of `Apart`; nothing where it is harmless.

    `name` as the sender wrote it; `content_type` as `kind_of` found it.
    """
    found = _within(name, content_type, content, budget or Budget())
    if names_paper(plain_name(name)) and (is_picture(content_type) or is_archive(content)):
        found.add(Apart.MAY_SHOW)
    return tuple(one for one in Apart if one in found)


def look_inside(
    files: Iterable[tuple[str, str, bytes]], budget: Budget | None = None
) -> tuple[Apart, ...]:
    """The same for a mail that came attached: its parts (name, type, content) are looked at, 50 at most."""
    budget = budget or Budget()
    found = {
        one
        for name, content_type, content in islice(files, MOST_PARTS)
        for one in _told(_within(name, content_type, content, budget))
    }
    return tuple(one for one in Apart if one in found)


def _within(name: str, content_type: str, content: bytes, budget: Budget) -> set[Apart]:
    found = by_name(name) | by_content(content, content_type)
    try:
        found |= _contents(name, content_type, content, budget)
    except BadInput:
        found.add(Apart.ARCHIVE_TOO_MUCH)
    return found


def _contents(name: str, content_type: str, content: bytes, budget: Budget) -> set[Apart]:
    if is_archive(content):
        document = any(one in content_type for one in _DOCUMENTS)
        return _document(content, budget) if document else _archive(name, content, budget)
    if texts.is_text(ending_of(name), content_type):
        words = [texts.text_of(content, content_type)]
    elif content_type == "application/pdf":
        words = [*texts.pdf(content, budget)]
    elif content_type.startswith(("image/", "audio/", "video/")):
        words = []
    else:
        words = [texts.runs(content)]
    found = any(_has_number(one, budget) for one in words)
    return {Apart.RESIDENT_NUMBER} if found else set()


def _has_number(words: str, budget: Budget) -> bool:
    budget.read(len(words))
    return has_resident_number(words)


def _document(content: bytes, budget: Budget) -> set[Apart]:
    """New Office, OpenDocument, HWPX: their words, macros, and what is embedded in them."""
    found: set[Apart] = set()
    for one in members(content, budget):
        name = one.name.lower()
        if any(part in name for part in _MACRO_PARTS):
            found.add(Apart.MACROS)
        if "/embeddings/" in name or "/activex/" in name:
            found.add(Apart.EMBEDDED)
        if one.encrypted:
            found.add(Apart.ARCHIVE_ENCRYPTED)
        elif one.content and texts.is_words(one.name):
            if _has_number(texts.words_of(one.name, one.content), budget):
                found.add(Apart.RESIDENT_NUMBER)
        if one.content and name.endswith(".rels") and _reaches_out(one.content):
            found.add(Apart.EMBEDDED)
    return found


def _reaches_out(relations: bytes) -> bool:
    """A template or an object that is fetched from elsewhere when the document is opened."""
    outside = b'TargetMode="External"' in relations
    return outside and any(
        kind in relations
        for kind in (b"/attachedTemplate", b"/oleObject", b"/frame", b"/externalLink")
    )


def _archive(name: str, content: bytes, budget: Budget) -> set[Apart]:
    if budget.depth <= 0:
        return {Apart.ARCHIVE_TOO_MUCH}
    found: set[Apart] = set()
    budget.depth -= 1
    for one in members(content, budget):
        if one.encrypted:
            found |= {Apart.ARCHIVE_ENCRYPTED} | ({Apart.INSIDE} if by_name(one.name) else set())
        elif one.content is None:
            found |= {Apart.ARCHIVE_CLOSED} | ({Apart.INSIDE} if by_name(one.name) else set())
        else:
            inner = one.name or name.rpartition(".")[0]
            found |= _told(_within(inner, kind_of(one.content, ""), one.content, budget))
            if has_resident_number(inner):
                found.add(Apart.RESIDENT_NUMBER)
    budget.depth += 1
    return found


def _told(inner: set[Apart]) -> set[Apart]:
    """What is found inside, told of the archive."""
    alone = inner & (_ALONE | {Apart.ARCHIVE_TOO_MUCH, Apart.INSIDE})
    return alone | ({Apart.INSIDE} if inner - _ALONE - {Apart.ARCHIVE_TOO_MUCH} else set())
