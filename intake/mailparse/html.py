"""HTML to the text that a person sees, in one pass. Quoted blocks come out with `> ` before each line."""

import re
from html import unescape

_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9:]*)")
_HIDDEN = re.compile(
    r"\shidden(?=/?$|=|\s+[a-z-]+=)|display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt|em)?\s*[;\"']"
)
_SIGNATURE = re.compile(r"gmail_signature[\"' ]|moz-signature|id=[\"']?signature\b", re.IGNORECASE)
_SILENT = frozenset({"style", "script", "title", "template", "noscript", "object", "svg", "select"})
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "base", "col", "area", "wbr", "source"}
)
_BLOCKS = frozenset(
    "div section article header footer main aside address center form fieldset table tbody thead tfoot tr "
    "caption li dd dt dl hr body html figure figcaption nav details summary option".split()
)
_PARAGRAPHS = frozenset("p ul ol h1 h2 h3 h4 h5 h6 pre blockquote".split())
_TIGHT = re.compile(r"MsoNormal|MsoPlainText|margin(?:-top)?\s*:\s*0", re.IGNORECASE)
_BLANKS = re.compile(r"\n{3,}")
_MAX_QUOTES = 50


def html_to_text(html: str) -> str:
    """The visible text of `html`, lines and paragraphs kept. Linear; never raises."""
    page = _Page()
    chunks = html.replace("\r\n", "\n").replace("\x00", "").split("<")
    page.text(chunks[0])
    comment = False
    last = max((at for at, chunk in enumerate(chunks) if "-->" in chunk), default=0)
    for at, chunk in enumerate(chunks[1:], 1):
        # A comment that nobody ends hides nothing: some mailers would lose the whole text.
        comment = comment or (chunk.startswith("!--") and at <= last)
        if comment:
            comment = "-->" not in chunk
            # Conditional comments for Outlook end with a tag of their own: <![endif]-->.
            if not comment:
                page.text(chunk.rpartition("-->")[2])
            continue
        page.chunk(chunk)
    return page.finish()


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes = 0
        self._preformatted = 0
        self._tight = False  # the paragraph has no margin, as Outlook's
        self._gap = False  # a blank line is due before the next text
        self._silent = ""  # tag whose end is awaited
        self._silent_depth = 0

    def chunk(self, chunk: str) -> None:
        """What stands from one `<` to the next: a tag and the text after it, or text with a `<`."""
        named = _NAME.match(chunk)
        if not named and chunk[:1] not in "!?/":
            return self.text("<" + chunk)
        tag, rest = _tag(chunk)
        if named and "@" in tag and "=" not in tag:
            return self.text("<" + chunk)  # <name@domain>, written without escaping
        if named:
            self._tag(named[1].lower(), tag)
        self.text(rest)

    def text(self, text: str) -> None:
        if self._silent or not text:
            return
        if "&" in text:
            text = unescape(text)
        if self._preformatted:
            first, *others = text.split("\n")
            self._add(first)
            for line in others:
                self._break()
                self._add(line)
        else:
            self._add(_collapse(text, start=not self._line))

    def _add(self, text: str) -> None:
        if not text or (not self._line and not text.strip()):
            return
        if self._gap:
            self._gap = False
            if self._lines and self._lines[-1].strip("> "):
                self._lines.append("> " * self._quotes)
        self._line.append(text)

    def _tag(self, name: str, tag: str) -> None:
        closing = tag[0] == "/"
        if self._silent:
            return self._hush(name, tag, closing)
        if not closing and (name in _SILENT or _is_hidden(tag)):
            if name not in _VOID and not tag.endswith("/"):
                self._silent, self._silent_depth = name, 1
        elif name == "br":
            self._break()
        elif name in _BLOCKS or name in _PARAGRAPHS:
            self._block(name, tag, closing)
        elif name in ("td", "th") and closing and self._line:
            self._line.append(" ")

    def _hush(self, name: str, tag: str, closing: bool) -> None:
        if name == self._silent and name not in ("style", "script", "title"):
            self._silent_depth += -1 if closing else (not tag.endswith("/"))
        elif name == self._silent and closing:
            self._silent_depth = 0
        if self._silent_depth <= 0 or (name == "body" and self._silent == "title"):
            self._silent = ""

    def _block(self, name: str, tag: str, closing: bool) -> None:
        self._end_line()
        if name == "blockquote":
            self._quotes = max(0, min(_MAX_QUOTES, self._quotes + (-1 if closing else 1)))
        elif name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if closing else 1))
        if not closing:
            self._tight = _TIGHT.search(tag) is not None
        if name in _PARAGRAPHS and not (self._tight and name == "p"):
            self._gap = True
        if closing:
            return
        if name == "li":
            self._add("- ")
        elif _SIGNATURE.search(tag):
            self._lines.append("-- ")

    def _break(self) -> None:
        if self._line:
            self._end_line()
        else:
            self._lines.append("> " * self._quotes)

    def _end_line(self) -> None:
        if self._line:
            line = "".join(self._line).rstrip()
            self._line.clear()
            self._lines.append("> " * self._quotes + line)

    def finish(self) -> str:
        self._end_line()
        text = "\n".join(line.rstrip() for line in self._lines)
        return _BLANKS.sub("\n\n", text).strip()


def _is_hidden(tag: str) -> bool:
    return ("style" in tag or "hidden" in tag) and _HIDDEN.search(tag) is not None


def _tag(chunk: str) -> tuple[str, str]:
    """The tag without brackets, and the text after it; a `>` in a quoted attribute ends nothing."""
    end = chunk.find(">")
    if end < 0:
        return chunk, ""
    if chunk.count('"', 0, end) % 2:
        later = chunk.find('">', end)
        end = later + 1 if later >= 0 else end
    return chunk[:end], chunk[end + 1 :]


def _collapse(text: str, start: bool) -> str:
    words = " ".join(text.split())
    if not words:
        return "" if start else " "
    before = "" if start or not text[0].isspace() else " "
    return before + words + (" " if text[-1].isspace() else "")
