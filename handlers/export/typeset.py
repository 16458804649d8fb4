"""JSON on standard input becomes a PDF on standard output: `python -m subjectline.handlers.export.typeset`.

A process of its own, so that memory and a member's data are gone with it. Needs no network: the font
and the template are ours, packages of Typst are not used.
"""

import sys

import typst

from subjectline.handlers.words import TEMPLATES

FONTS = TEMPLATES / "fonts" / "nanum-gothic"
TEMPLATE = TEMPLATES / "export" / "export.typ"


def typeset(data: str) -> bytes:
    """The PDF (tagged, its glyphs embedded as a subset) of one payload of `pdf.payload`."""
    made = typst.compile(
        str(TEMPLATE),
        font_paths=[str(FONTS)],
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": data},
    )
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(typeset(sys.stdin.buffer.read().decode()))
