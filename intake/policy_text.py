"""A policy's text as HTML: a small part of Markdown, everything else is text.

Headings, paragraphs, bulleted and numbered lists (nested by indentation), tables, `**bold**` and links
to web pages. All text is escaped before any tag is written, so no input can bring its own markup.
"""

import re
from dataclasses import dataclass

from markupsafe import Markup, escape

_HEADING = re.compile(r"(#{1,4})\s+(.+)")
_ITEM = re.compile(r"(\s*)(?:([-*])|(\d{1,3})[.)])\s+(.+)")
_TABLE = re.compile(r"\s*\|(.+)\|\s*")
_RULE = re.compile(r"[\s|:-]+")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]\[]+)\]\((https?://[^\s()]+|mailto:[^\s()]+|/[^\s()]*)\)")


@dataclass(frozen=True)
class Heading:
    """A line of the table of contents."""

    anchor: str
    text: str


def headings(text: str) -> tuple[Heading, ...]:
    """The second-level headings, in their order, with the anchors that `html` gives them."""
    found = [m for line in text.splitlines() if (m := _HEADING.fullmatch(line.strip()))]
    shown = [m for m in found if len(m[1]) > 1]
    return tuple(
        Heading(f"s{number}", m[2].strip()) for number, m in enumerate(shown, 1) if len(m[1]) == 2
    )


def html(text: str) -> Markup:
    """The text as safe HTML. Its title (`# …`) is left out: the page has one of its own."""
    return Markup("\n").join(_Writer().write(text.splitlines()))


class _Writer:
    """Reads line by line and keeps what is open: a paragraph, lists by their depth, a table."""

    def __init__(self) -> None:
        self.out: list[Markup] = []
        self.paragraph: list[str] = []
        self.lists: list[tuple[int, str]] = []
        self.table: list[list[str]] = []
        self.heading = 0

    def write(self, lines: list[str]) -> list[Markup]:
        for line in lines:
            self._line(line)
        self._close()
        return self.out

    def _line(self, line: str) -> None:
        if not line.strip():
            self._end_paragraph()
            self._end_table()
        elif heading := _HEADING.fullmatch(line.strip()):
            self._write_heading(len(heading[1]), heading[2])
        elif row := _TABLE.fullmatch(line):
            self._end_paragraph()
            if not line.startswith(" "):
                self._end_lists(-1)
            self.table.append([cell.strip() for cell in row[1].split("|")])
        elif item := _ITEM.fullmatch(line):
            self._write_item(len(item[1]), "ul" if item[2] else "ol", item[3], item[4])
        else:
            self._text(line)

    def _text(self, line: str) -> None:
        if self.lists and not line.startswith(" ") and not self.paragraph:
            self._end_lists(-1)
        self.paragraph.append(line.strip())

    def _write_heading(self, level: int, text: str) -> None:
        self._close()
        if level == 1:
            return
        self.heading += 1
        tag = Markup(f"h{level}")
        self.out.append(Markup('<{0} id="s{1}">{2}</{0}>').format(tag, self.heading, inline(text)))

    def _write_item(self, indent: int, kind: str, number: str | None, text: str) -> None:
        self._end_paragraph()
        self._end_lists(indent)
        if self.lists and self.lists[-1] == (indent, "ul" if kind == "ol" else "ol"):
            self._end_lists(indent - 1)
        if not self.lists or indent > self.lists[-1][0]:
            start = f' start="{number}"' if number and number != "1" else ""
            self.out.append(Markup(f"<{kind}{start}>"))
            self.lists.append((indent, kind))
        else:
            self.out.append(Markup("</li>"))
        self.out.append(Markup("<li>{}").format(inline(text)))

    def _end_lists(self, indent: int) -> None:
        """Closes the lists that stand deeper than this; -1 closes all."""
        while self.lists and self.lists[-1][0] > indent:
            _, kind = self.lists.pop()
            self.out.append(Markup(f"</li></{kind}>"))

    def _end_paragraph(self) -> None:
        if self.paragraph:
            self.out.append(Markup("<p>{}</p>").format(inline(" ".join(self.paragraph))))
            self.paragraph = []

    def _end_table(self) -> None:
        if not self.table:
            return
        head, *rows = [row for row in self.table if not _is_rule(row)] or [[]]
        self.table = []
        self.out.append(Markup('<div class="scroll"><table><thead><tr>'))
        self.out += [Markup("<th>{}</th>").format(inline(cell)) for cell in head]
        self.out.append(Markup("</tr></thead><tbody>"))
        for row in rows:
            cells = Markup("").join(Markup("<td>{}</td>").format(inline(cell)) for cell in row)
            self.out.append(Markup("<tr>{}</tr>").format(cells))
        self.out.append(Markup("</tbody></table></div>"))

    def _close(self) -> None:
        self._end_paragraph()
        self._end_table()
        self._end_lists(-1)


def _is_rule(row: list[str]) -> bool:
    return all(_RULE.fullmatch(cell) for cell in row)


def inline(text: str) -> Markup:
    """Bold words and links of one line; the rest is escaped."""
    safe = str(escape(text))
    safe = _BOLD.sub(r"<strong>\1</strong>", safe)
    return Markup(_LINK.sub(r'<a href="\2">\1</a>', safe))
