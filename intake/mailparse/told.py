"""What `subjectline mail explain` tells besides the outcome: troubles of reading, kinds of parts, files."""

from collections.abc import Sequence

from subjectline.intake.mailparse.body import read_body
from subjectline.intake.mailparse.mime import read
from subjectline.models.incoming import Attachment

_MOST = 50


def told(raw: bytes) -> dict[str, object]:
    """`troubles`: what was wrong with the bytes and how it was mended, in order, without personal data.

    `parts`: the media types of all parts, depth first, as declared; 50 at most of either.
    """
    root = read(raw)
    body = read_body(root)
    parts = list(root.walk())
    found = [trouble for part in parts for trouble in part.defects]
    if "\ufffd" in root.headers.text("subject"):
        found.append("letters of the subject could not be read")
    if body.encrypted:
        found.append("encrypted: no key to read it with")
    return {
        "troubles": list(dict.fromkeys(found))[:_MOST],
        "parts": [part.type for part in parts][:_MOST],
    }


def files_told(files: Sequence[Attachment]) -> list[dict[str, object]]:
    """Name (masked), type by content, the sender's word for it, size in bytes, why it is kept apart."""
    return [
        {
            "name": one.name,
            "type": one.content_type,
            "declared": one.declared or one.content_type,
            "size": len(one.content),
            "apart": [reason.value for reason in one.apart],
        }
        for one in files
    ]
