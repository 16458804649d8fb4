"""The five items in words: the same sections for the page, the PDF and the letter in the archive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subjectline.handlers.export.shelf import Head
from subjectline.handlers.export.showing import when
from subjectline.handlers.export.wording import Words, localised, words
from subjectline.models.regimes import regime_named

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

Facts = list[tuple[str, str]]


@dataclass(frozen=True)
class Grid:
    """A small table in words. Without rows `none` is said."""

    title: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    none: str = ""


@dataclass(frozen=True)
class Item:
    """One of the five items: its number, what it is, and its tables in words."""

    number: int
    name: str
    title: str
    text: str
    grids: tuple[Grid, ...] = ()


@dataclass(frozen=True)
class FiveItems:
    """Everything of an export but the rows, in one language. The first item's tables are the head's."""

    language: str
    title: str
    intro: str
    facts: Facts
    items: tuple[Item, ...]
    tables: list[dict[str, Any]]
    words: Words


def in_words(desk: "Desk", export: Head, language: str) -> FiveItems:
    """The export's head in one language (ko or en)."""
    told, head = words(language), localised(export.body, language)
    portability = export.body["kind"] == "portability"
    return FiveItems(
        language=language,
        title=told["title.portability" if portability else "title"],
        intro=told["intro"],
        facts=_facts(desk, export, head, told, language),
        items=(
            _items(head, told),
            _purposes(head, told),
            _retention(head, told),
            _provision(head, told),
            _consents(desk, head, told, language),
        ),
        tables=head["tables"],
        words=told,
    )


def table_facts(told: FiveItems, place: int) -> Facts:
    """What stands above the rows of one table: purposes, retention, recipients, and what the person
    says against a value that was not corrected."""
    table = told.tables[place]
    return [
        *_statements(told, table),
        (told.words["table.purposes"], _listed(table["purposes"], told.words["table.nobody"])),
        (told.words["table.retention"], _kept(told, table)),
        (told.words["table.recipients"], _listed(table["recipients"], told.words["table.nobody"])),
    ]


def _statements(told: FiveItems, table: Mapping[str, Any]) -> Facts:
    label = told.words["table.statement"]
    return [
        (label.format(column=column["label"]), one["text"])
        for column in table["columns"]
        for one in column.get("statements", ())
    ]


def withheld(told: FiveItems, place: int) -> str:
    """The sentence about another person's details in these rows, or nothing."""
    table = told.tables[place]
    labels = {column["name"]: column["label"] for column in table["columns"]}
    hidden = [labels.get(name, name) for name in table["withheld_columns"]]
    return told.words["table.withheld"].format(columns=", ".join(hidden)) if hidden else ""


def count(told: FiveItems, place: int) -> str:
    """How many records the table has, in words."""
    number = told.tables[place]["count"]
    return told.words["table.row" if number == 1 else "table.rows"].format(rows=f"{number:,}")


def _kept(told: FiveItems, table: Mapping[str, Any]) -> str:
    rules = {row[0]: row[1] for grid in told.items[2].grids for row in grid.rows}
    period = rules.get(table["retention"], "")
    rule: str = table["retention"]
    return f"{rule}, {period}" if period and period != rule else rule


def _facts(
    desk: "Desk", export: Head, head: Mapping[str, Any], told: Words, language: str
) -> Facts:
    zone, controller = regime_named(desk.manner.regime).tz, head["controller"]
    basis = "basis.portability" if head["kind"] == "portability" else "basis"
    return [
        (told["fact.reference"], head["reference"]),
        (told["fact.member"], head["member"]),
        (told["fact.gathered"], when(head["gathered_at"], language, zone)),
        (told["fact.expires"], when(export.expires_at.isoformat(), language, zone)),
        (told["fact.controller"], controller["name"]),
        (told["fact.officer"], controller["officer"]),
        (told["fact.contact"], f"{controller['phone']}, {controller['email']}"),
        (told["fact.basis"], told[basis]),
    ]


def _items(head: Mapping[str, Any], told: Words) -> Item:
    tables = head["tables"]
    rows = sum(table["count"] for table in tables)
    text = told["items.text"].format(tables=len(tables), rows=f"{rows:,}")
    return Item(1, "items", told["items"], text if tables else told["items.none"])


def _purposes(head: Mapping[str, Any], told: Words) -> Item:
    rows = [[one["label"], _basis(one, told), _listed(one["tables"])] for one in head["purposes"]]
    columns = (told["column.purpose"], told["column.basis"], told["column.records"])
    return _item(2, "purposes", told, Grid("", columns, rows))


def _basis(one: Mapping[str, Any], told: Words) -> str:
    name = told[f"basis.{one['basis']}"]
    return f"{name} ({one['law']})" if one["law"] else name


def _retention(head: Mapping[str, Any], told: Words) -> Item:
    rows = [
        [one["label"], one["period"] or "", one["law"] or "", _listed(one["tables"])]
        for one in head["retention"]
    ]
    columns = ("column.retention", "column.period", "column.law", "column.records")
    return _item(3, "retention", told, Grid("", tuple(told[c] for c in columns), rows))


def _provision(head: Mapping[str, Any], told: Words) -> Item:
    columns = ("column.recipient", "column.work", "column.fields")
    heads = tuple(told[c] for c in columns)
    third = [
        [*_recipient(one), told["state.provided" if one["provided"] else "state.not_provided"]]
        for one in head["third_parties"]
    ]
    others = [_recipient(one) for one in head["processors"]]
    return _item(
        4,
        "provision",
        told,
        Grid("", (*heads, told["column.state"]), third, told["provision.none"]),
        Grid(told["processors"], heads, others, told["processors.none"]),
    )


def _recipient(one: Mapping[str, Any]) -> list[str]:
    return [one["label"], one["work"], _listed(one["fields"])]


def _consents(desk: "Desk", head: Mapping[str, Any], told: Words, language: str) -> Item:
    zone = regime_named(desk.manner.regime).tz

    def at(text: str | None, *, given: bool = True) -> str:
        return when(text, language, zone) if text else told["at.unknown"] * given

    def then_at(one: Mapping[str, Any]) -> str:
        if one["at"] or not one.get("noted_at"):
            return at(one["at"])
        return told["at.read"].format(at=at(one["noted_at"]))

    now = [
        [one["label"], _parts(one, told), at(one["at"], given=one["given"]), one["text_version"]]
        for one in head["consents"]
    ]
    then = [
        [
            one["label"] or told.get(f"consent.{one['consent']}", one["consent"]),
            told[f"event.{one['state']}"],
            then_at(one),
            told.get(f"door.{one['door']}", one["door"]),
            one["text_version"],
        ]
        for one in head["consent_history"]
    ]
    columns = ("column.consent", "column.content", "column.when", "column.version")
    later = ("column.consent", "column.state", "column.when", "column.door", "column.version")
    grids = [Grid("", tuple(told[c] for c in columns), now, told["consents.none"])]
    if then:
        grids.append(Grid(told["history"], tuple(told[c] for c in later), then))
    return _item(5, "consents", told, *grids)


def _parts(one: Mapping[str, Any], told: Words) -> str:
    """Each channel of a consent, given or not; the state alone where there is only one."""

    def state(given: bool) -> str:
        return told["state.given" if given else "state.withdrawn"]

    if len(one["parts"]) < 2:
        return state(one["given"])
    return ", ".join(f"{part['label']}: {state(part['given'])}" for part in one["parts"])


def _item(number: int, name: str, told: Words, *grids: Grid) -> Item:
    return Item(number, name, told[name], told[f"{name}.text"], grids)


def _listed(labels: Sequence[str], nothing: str = "") -> str:
    return ", ".join(labels) or nothing
