"""What the agents' console and the members' pages share: templates, words, languages, error pages.

The words of the pages stand in `templates/<folder>/words.yaml`, each key with its Korean and its
English text side by side. A page never shows an exception's own text as its headline: each error class
has plain words there, and the sentence of the error stands below them as a detail.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from subjectline.handlers import queries
from subjectline.handlers import words as labels
from subjectline.intake import telling
from subjectline.models.errors import (
    BadInput,
    BadValue,
    HeldData,
    IdentityError,
    NotPermitted,
    Refused,
    RegistryAway,
    RegistryError,
    SubjectlineError,
)
from subjectline.models.reasons import reason_text
from subjectline.models.regimes import regime_named

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
STATIC = TEMPLATES / "static"
LANGUAGES = ("ko", "en")
LANGUAGE_COOKIE = "sl_lang"
NOTE_COOKIE = "sl_note"
YEAR = 365 * 24 * 3600

_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]"
)
_UNSAVED = re.compile(r'[/\\:*?"<>|%;]')
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def catalogue(folder: str) -> Catalogue:
    """The words of one folder and those that all pages share: key -> {ko, en}."""
    found: dict[str, Mapping[str, str]] = {}
    for name in ("shared", folder):
        path = TEMPLATES / name / "words.yaml"
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


@cache
def static(name: str) -> str:
    """The address of one of our own files; its content's hash lets browsers keep it for a year."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def language_of(request: Request, fallback: str = "ko") -> str:
    """`?lang=`, then the cookie, then Accept-Language, then the desk's own language."""
    asked = request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)
    for wanted in asked:
        if wanted in LANGUAGES:
            return wanted
    return accepted(request.headers.get("accept-language", "")) or fallback


def accepted(header: str) -> str | None:
    """The language of ours that Accept-Language wants most (RFC 9110 12.5.4), or None."""
    wanted = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, weight = part.partition(";")
        name = tag.strip().lower().split("-")[0]
        if name in LANGUAGES:
            wanted.append((-_weight(weight), place, name))
    return min(wanted)[2] if wanted else None


def _weight(text: str) -> float:
    name, _, value = text.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


@cache
def environment() -> Environment:
    """The templates of all pages; what is compiled once serves every desk of the process."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=unturned,
    )
    made.globals["static"] = static
    return made


@dataclass
class Pages:
    """Renders the templates of one folder (`console` or `pages`) for one desk."""

    desk: "Desk"
    folder: str
    context: Callable[[Request], Mapping[str, Any]] = field(default=lambda request: {})

    def page(self, request: Request, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """One page in the reader's language. `name` is a template of the folder, without ending."""
        language = self.language(request)
        words = Speech(self.desk, catalogue(self.folder), language)
        noted = request.cookies.get(NOTE_COOKIE, "")
        template = environment().get_template(f"{self.folder}/{name}.html")
        body = template.render(
            **words.helpers(),
            **self.context(request),
            **context,
            note=noted if f"note.{noted}" in catalogue(self.folder) else "",
        )
        response = HTMLResponse(body, status, headers={"Content-Language": language})
        if noted:
            response.delete_cookie(NOTE_COOKIE)
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, samesite="lax")
        return response

    def language(self, request: Request) -> str:
        return language_of(request, self.desk.manner.language)

    def sorry(
        self, request: Request, key: str, status: int, detail: str = "", **context: Any
    ) -> HTMLResponse:
        """An error page: what happened and the way out, in the words of `error.<key>.*`."""
        if f"error.{key}.title" not in catalogue(self.folder):
            key = "other"
        context = {"steps": (), "wrote": {}, "back": "", **context}
        return self.page(request, "error", status, key=key, detail=detail, **context)

    def refusal(self, request: Request, wrong: SubjectlineError, **context: Any) -> HTMLResponse:
        """The page for an error that was raised on purpose."""
        return self.sorry(
            request, self.key_of(wrong), status_of(wrong), self.detail(request, wrong), **context
        )

    def key_of(self, wrong: SubjectlineError) -> str:
        """The nearest class of the error for which the catalogue has words."""
        if missing(wrong):
            return "missing"
        known = catalogue(self.folder)
        if isinstance(wrong, HeldData) and f"error.HeldData.{wrong.why}.title" in known:
            return f"HeldData.{wrong.why}"
        return next(
            (c.__name__ for c in type(wrong).__mro__ if f"error.{c.__name__}.title" in known),
            "other",
        )

    def detail(self, request: Request, wrong: SubjectlineError) -> str:
        language = self.language(request)
        if isinstance(wrong, BadValue):
            known = self.desk.data_map.fields.get(wrong.field)
            label = f"{known.labels.text(language)}: " if known else ""
            return label + reason_text(wrong.reason, language)
        return "" if missing(wrong) else str(wrong)


def unturned(value: Any) -> Any:
    """A text of a page with every character that turns the direction of writing made visible.

    U+202E and its kind (Unicode bidirectional algorithm, UAX 9, 2.1 to 2.4) let "exe.fdp" read as
    "pdf.exe", or an account number read backwards: an agent must see that they are there.
    """
    if isinstance(value, str) and not value.isascii() and _TURNS.search(value):
        shown = _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
        return Markup(shown) if isinstance(value, Markup) else shown
    return value


def straight(text: str) -> str:
    """A text for a box that is sent back: without what turns its direction, and no sign in its place."""
    return _TURNS.sub("", text)


def missing(wrong: SubjectlineError) -> bool:
    """Whether the error says that an address leads nowhere."""
    return isinstance(wrong, BadInput) and wrong.field == "address"


STATUSES: tuple[tuple[type[SubjectlineError], int], ...] = (
    (BadInput, 422),
    (NotPermitted, 403),
    (Refused, 409),
    (IdentityError, 410),
    (RegistryAway, 503),
    (RegistryError, 409),
)


def status_of(wrong: SubjectlineError) -> int:
    """The HTTP status that says the same as the error."""
    if missing(wrong):
        return 404
    return next((status for kind, status in STATUSES if isinstance(wrong, kind)), 500)


def saved_name(name: str, *, apart: bool = False) -> str:
    """A file's name as it may be saved: nothing unseen, no path, at most 150 characters.

    What was kept apart gets an ending that no system runs.
    """
    name = _UNSAVED.sub("_", _UNSEEN.sub("", name)).strip(" .")[-150:] or "file"
    return f"{name}.quarantined" if apart else name


def go(path: str, note: str = "") -> Response:
    """After a POST: to a page that can be loaded again, with a word about what was done."""
    response = RedirectResponse(path, 303)
    if note:
        response.set_cookie(NOTE_COOKIE, note, max_age=60, httponly=True, samesite="strict")
    return response


def secure(request: Request, public_url: str) -> bool:
    """Whether cookies may demand TLS: where the page came over it, or the desk is only there."""
    return request.url.scheme == "https" or public_url.startswith("https://")


@dataclass(frozen=True)
class Speech:
    """What a template can say, in one language."""

    desk: "Desk"
    words: Catalogue
    language: str

    def helpers(self) -> dict[str, Any]:
        return {
            "lang": self.language,
            "other": "en" if self.language == "ko" else "ko",
            "t": self.text,
            "say": self.maybe,
            "why": partial(telling.why, self.words, self.language),
            "derived": partial(telling.derivation, self.words, self.language),
            "company": self.desk.data_map.company,
            "company_name": self.desk.data_map.company.name.text(self.language),
            "kind_label": partial(labels.kind_label, language=self.language),
            "state_label": partial(labels.state_label, language=self.language),
            "reason_text": partial(reason_text, language=self.language),
            "member_state": partial(labels.state_label, language=self.language, for_member=True),
            "day": self.day,
            "short_day": self.short_day,
            "moment": self.moment,
            "left": self.left,
            "field_label": self.field_label,
            "purpose_label": self.purpose_label,
            "listed": partial(labels.listed, language=self.language),
            "size": size,
            "place_label": self.place_label,
            "connection_label": self.connection_label,
            "missing_text": self.missing_text,
            "word": self.word,
            "shown": self.shown,
            "public_url": self.desk.manner.public_url,
        }

    def text(self, key: str, **given: Any) -> str:
        """The words of a key, with what is given put in: text that the template escapes, unless
        something given is markup of ours, such as a `<time>`; then the rest is escaped here."""
        words = self.words[key][self.language]
        if any(isinstance(value, Markup) for value in given.values()):
            return escape(words).format(**given)
        return words.format(**given) if given else words

    def maybe(self, prefix: str, name: object, **given: Any) -> str:
        """The words of `prefix.name`, or the name itself where the catalogue has none."""
        known = f"{prefix}.{name}" in self.words
        return self.text(f"{prefix}.{name}", **given) if known else str(name)

    def day(self, value: date | str) -> str:
        return labels.day(
            date.fromisoformat(value) if isinstance(value, str) else value, self.language
        )

    def short_day(self, text: str) -> str:
        """A date for a list: 11월 24일(화); Tue 24 Nov. The year only where it is another one."""
        value, now = date.fromisoformat(text), queries.today(self.desk, self.desk.manner.regime)
        words = labels.word_list(self.language)
        weekday = words["weekdays"][value.weekday()]
        if self.language == "ko":
            year = "" if value.year == now.year else f"{value.year}년 "
            return f"{year}{value.month}월 {value.day}일({weekday})"
        year = "" if value.year == now.year else f" {value.year}"
        return f"{weekday[:3]} {value.day} {words['months'][value.month - 1][:3]}{year}"

    def moment(self, value: datetime) -> Markup:
        """A time in the regime's zone, as a `<time>`; the year only where it is another one."""
        zone = regime_named(self.desk.manner.regime).tz
        local, now = value.astimezone(zone), self.desk.clock().astimezone(zone)
        shown = self._clock(local, year=local.year != now.year)
        return Markup('<time datetime="{}">{}</time>').format(
            local.isoformat(timespec="seconds"), shown
        )

    def _clock(self, local: datetime, *, year: bool) -> str:
        clock = f"{local:%H:%M}"
        if self.language == "ko":
            return f"{f'{local.year}년 ' if year else ''}{local.month}월 {local.day}일 {clock}"
        month = labels.word_list("en")["months"][local.month - 1][:3]
        return f"{local.day} {month}{f' {local.year}' if year else ''}, {clock}"

    def left(self, days: int) -> str:
        """How many days there are: D-3 as Koreans write it, 3 days left."""
        if days == 0:
            return self.text("left.today")
        if days > 0:
            return self.text("left.one" if days == 1 else "left.more", days=days)
        return self.text("left.late_one" if days == -1 else "left.late", days=-days)

    def field_label(self, name: str) -> str:
        if name == "*":
            return self.text("every_field")
        known = self.desk.data_map.fields.get(name)
        return known.labels.text(self.language) if known else name

    def purpose_label(self, name: str) -> str:
        if name == "*":
            return self.text("every_purpose")
        known = self.desk.data_map.purposes.get(name)
        return known.labels.text(self.language) if known else name

    def place_label(self, table: str, column: str) -> str:
        """A table and column of the company's database, as people call them."""
        known = self.desk.data_map.tables.get(table)
        if known is None:
            return table
        spec = known.columns.get(column)
        named = known.labels.text(self.language)
        return f"{named}: {spec.labels.text(self.language)}" if spec else named

    def connection_label(self, name: str) -> str:
        """A connection of the data map, the archive's among them, as people call it."""
        data_map = self.desk.data_map
        known = data_map.connections.get(name) or (data_map.archive if name == "archive" else None)
        return known.labels.text(self.language) if known else self.maybe("connection", name)

    def missing_text(self, name: str) -> str:
        """What a draft lacks (`which_value:phone`), as a sentence."""
        what, _, about = name.partition(":")
        table = self.place_label(about, "")
        return self.maybe("missing", what, field=self.field_label(about), table=table)

    def word(self, value: Any) -> str:
        """A label that an export carries in one language, or in both."""
        return str(value.get(self.language, "")) if isinstance(value, Mapping) else str(value)

    def shown(self, value: Any) -> str:
        """One value of the company's database: nothing is a dash, yes and no are words."""
        if value is None or value == "":
            return "–"
        if isinstance(value, bool):
            return self.text("yes" if value else "no")
        return self._when(str(value))

    def _when(self, text: str) -> str:
        """A time of the company's database as people read it; any other text as it stands."""
        if not _TIME.match(text):
            return text
        try:
            read = datetime.fromisoformat(text)
        except ValueError:
            return text
        if read.tzinfo is None:
            return text
        return self._clock(read.astimezone(regime_named(self.desk.manner.regime).tz), year=True)


def size(count: int) -> str:
    """Bytes as people read them."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"
