"""Texts as Telegram takes them: trimmed, counted in UTF-16 units, with entities.

Source: Bot API, "Formatting options".
"""

import re
from html.parser import HTMLParser

from subjectline.intake.sandbox.telegram_emulator.objects import Json
from subjectline.models.errors import BadInput

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
COMMAND = re.compile(r"(?<![^\s])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")
TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}


def utf16_length(text: str) -> int:
    """Length in the units that Telegram's limits and entity offsets count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def commands_in(text: str) -> tuple[Json, ...]:
    """The bot_command entities of a text."""
    return tuple(
        {
            "type": "bot_command",
            "offset": utf16_length(text[: found.start()]),
            "length": utf16_length(found.group()),
        }
        for found in COMMAND.finditer(text)
    )


def read_text(text: str, parse_mode: str) -> tuple[str, tuple[Json, ...]]:
    """The text that is shown, and its entities. Only HTML is read; other parse modes raise BadInput (400)."""
    entities: tuple[Json, ...] = ()
    shown = text
    if parse_mode.lower() == "html":
        shown, entities = _read_html(text)
    elif parse_mode:
        raise BadInput("Bad Request: unsupported parse_mode (the emulator reads HTML only)")
    shown = shown.rstrip()
    lead = len(shown) - len(shown.lstrip())
    return shown[lead:], (*_moved(entities, -lead), *commands_in(shown[lead:]))


def check_length(text: str, most: int, what: str) -> None:
    """Raise BadInput (400) when `text` has more than `most` UTF-16 units."""
    if utf16_length(text) > most:
        raise BadInput(f"Bad Request: {what} is too long")


def _moved(entities: tuple[Json, ...], by: int) -> tuple[Json, ...]:
    return tuple({**entity, "offset": max(entity["offset"] + by, 0)} for entity in entities)


def _read_html(text: str) -> tuple[str, tuple[Json, ...]]:
    reader = _HtmlReader()
    reader.feed(text)
    reader.close()
    if reader.open_tags:
        tag = reader.open_tags[-1][0]
        raise BadInput(f"Bad Request: can't parse entities: Can't find end tag for <{tag}>")
    return "".join(reader.parts), tuple(sorted(reader.entities, key=lambda each: each["offset"]))


class _HtmlReader(HTMLParser):
    """Collects the text and the entities; anything but Telegram's few tags is an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.entities: list[Json] = []
        self.open_tags: list[tuple[str, int, dict[str, str | None]]] = []
        self._length = 0

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
        self._length += utf16_length(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise BadInput(f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}"')
        self.open_tags.append((tag, self._length, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open_tags or self.open_tags[-1][0] != tag:
            raise BadInput(f'Bad Request: can\'t parse entities: Unexpected end tag "{tag}"')
        _, start, attributes = self.open_tags.pop()
        if self._length == start:
            return
        entity: Json = {"type": TAGS[tag], "offset": start, "length": self._length - start}
        if tag == "a":
            entity["url"] = attributes.get("href") or ""
        self.entities.append(entity)
