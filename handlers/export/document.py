"""The head of an export: PIPA's five items as data, in both languages, without the rows.

Items and content, purposes, retention and use period, provision to third parties, consents
(PIPA 35, Decree 41). Only what has to do with records that are there is named.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import rfc8785

from subjectline.handlers.registry import Collected, CollectedTable, ConsentSeen
from subjectline.models.datamap import Bilingual, DataMap, Recipient, Table
from subjectline.models.tables import ConsentEntry

FORMAT, VERSION = "subjectline-export", 1
Both = dict[str, str]


def full(found: Collected) -> dict[str, CollectedTable]:
    """The tables with rows, in the order of the map: those that the head has."""
    return {one.table: one for one in found.tables if one.total}


def counts(found: Collected) -> dict[str, Any]:
    """For the agent: numbers and names by table, no values."""
    return {
        one.table: {
            "rows": one.total,
            "withheld": [
                {"reason": w.reason, "rows": w.rows, "columns": list(w.columns)}
                for w in one.withheld
            ],
        }
        for one in found.tables
        if one.total or one.withheld
    }


def sha256(head: Mapping[str, Any], rows: Sequence[str]) -> str:
    """What an approval binds of an export: SHA-256 over the canonical JSON (RFC 8785) of its head and
    of the SHA-256 of each table's lines, in the order of the head."""
    return hashlib.sha256(rfc8785.dumps({"head": head, "rows": list(rows)})).hexdigest()


def head(
    data_map: DataMap,
    found: Collected,
    consents: Sequence[ConsentSeen],
    ledger: Sequence[ConsentEntry],
    **facts: str,
) -> dict[str, Any]:
    """The head as JSON-able data; `facts` are member, reference, kind, language, gathered_at."""
    tables = full(found)
    names = set(tables)
    return {
        "format": FORMAT,
        "version": VERSION,
        "registry": data_map.registry,
        **facts,
        "controller": _controller(data_map),
        "purposes": _purposes(data_map, names),
        "retention": _retention(data_map, names),
        "third_parties": _recipients(data_map, names, "third_party", consents),
        "processors": _recipients(data_map, names, "processor", consents),
        "consents": [_consent(data_map, seen) for seen in consents],
        "consent_history": [_entry(data_map, entry) for entry in ledger],
        "tables": [table(data_map, one) for one in tables.values()],
    }


def _controller(data_map: DataMap) -> dict[str, Any]:
    company = data_map.company
    return {
        "name": both(company.name),
        "officer": both(company.officer),
        "phone": company.phone,
        "email": company.email,
        "address": both(company.address),
        "policy_url": company.policy_url,
    }


def table(data_map: DataMap, found: CollectedTable) -> dict[str, Any]:
    """One table of the head: labels, columns, number of rows."""
    spec = data_map.tables[found.table]
    by_column = {f.column: name for name, f in data_map.fields.items() if f.table == found.table}
    columns = [
        {
            "name": name,
            "label": both(label),
            "type": spec.columns[name].type if name in spec.columns else "text",
            "field": by_column.get(name),
            "values": _values(spec, name),
        }
        for name, label in found.columns.items()
    ]
    return {
        "table": found.table,
        "label": both(found.label),
        "category": both(found.category),
        "purposes": [both(label) for label in found.purposes],
        "recipients": [both(label) for label in found.recipients],
        "retention": both(found.retention.labels),
        "columns": columns,
        "withheld_columns": list(found.withheld_columns),
        "count": found.total,
    }


def _values(spec: Table, name: str) -> list[dict[str, Any]]:
    """What coded values mean. A list: a code may be called like a language."""
    known = spec.columns[name].values if name in spec.columns else {}
    return [{"value": value, "label": both(label)} for value, label in known.items()]


def _purposes(data_map: DataMap, names: set[str]) -> list[dict[str, Any]]:
    used = _naming(data_map, names, "purposes")
    return [
        {
            "purpose": name,
            "label": both(purpose.labels),
            "basis": purpose.basis,
            "law": both(purpose.law),
            "tables": used[name],
        }
        for name, purpose in data_map.purposes.items()
        if name in used
    ]


def _retention(data_map: DataMap, names: set[str]) -> list[dict[str, Any]]:
    used: dict[str, list[Both | None]] = {}
    for table in _tables(data_map, names):
        used.setdefault(table.retention, []).append(both(table.labels))
    return [
        {
            "rule": name,
            "label": both(rule.labels),
            "period": {lang: rule.period.text(lang) for lang in ("ko", "en")}
            if rule.period
            else None,
            "law": both(rule.law),
            "tables": used[name],
        }
        for name, rule in data_map.retention.items()
        if name in used
    ]


def _recipients(
    data_map: DataMap, names: set[str], kind: str, consents: Sequence[ConsentSeen]
) -> list[dict[str, Any]]:
    used = _naming(data_map, names, "recipients")
    return [
        {
            "recipient": name,
            "label": both(one.labels),
            "work": both(one.work),
            "fields": _labels(data_map, one),
            "tables": used[name],
            "provided": _provided(data_map, name, consents),
        }
        for name, one in data_map.recipients.items()
        if name in used and one.kind == kind
    ]


def _labels(data_map: DataMap, one: Recipient) -> list[Both | None]:
    if len(one.fields) == len(data_map.fields):
        return [{"ko": "보관하는 모든 항목", "en": "everything held"}]
    return [both(data_map.fields[name].labels) for name in one.fields]


def _provided(data_map: DataMap, recipient: str, consents: Sequence[ConsentSeen]) -> bool:
    """Whether it is given to them now: not where it needs a consent that does not stand."""
    if data_map.recipients[recipient].kind != "third_party":
        return True
    theirs = {
        purpose
        for table in data_map.tables.values()
        if recipient in table.recipients
        for purpose in table.purposes
    }
    needed = {n for n, consent in data_map.consents.items() if theirs & set(consent.purposes)}
    standing = {seen.consent for seen in consents if seen.given}
    return not needed or bool(needed & standing)


def _consent(data_map: DataMap, seen: ConsentSeen) -> dict[str, Any]:
    spec = data_map.consents[seen.consent]
    columns = data_map.tables[spec.table].columns
    return {
        "consent": seen.consent,
        "label": both(spec.labels),
        "given": seen.given,
        "parts": [
            {"column": name, "label": both(columns[name].labels), "given": name in seen.columns}
            for name in spec.columns
        ],
        "purposes": [both(data_map.purposes[name].labels) for name in spec.purposes],
        "at": seen.at.isoformat() if seen.at else None,
        "text_version": seen.version,
    }


def _entry(data_map: DataMap, entry: ConsentEntry) -> dict[str, Any]:
    spec = data_map.consents.get(entry.consent)
    return {
        "consent": entry.consent,
        "label": both(spec.labels) if spec else _longer(data_map, entry),
        "state": entry.state,
        "at": entry.at.isoformat() if entry.at_known else None,
        "noted_at": entry.noted_at.isoformat(),
        "door": entry.door,
        "text_version": entry.text_version,
        "until": entry.until,
    }


def _longer(data_map: DataMap, entry: ConsentEntry) -> Both | None:
    """The label of a consent to a longer keeping: which records, and where it was given until when."""
    prefix, _, rule = entry.consent.partition(":")
    if prefix != "retention" or rule not in data_map.retention:
        return None
    records, day = data_map.retention[rule].labels, entry.until
    return {
        "ko": f"더 오래 보관하는 데 동의: {records.ko}" + (f", {day}까지" if day else ""),
        "en": f"To be kept longer: {records.en}" + (f", until {day}" if day else ""),
    }


def _naming(data_map: DataMap, names: set[str], what: str) -> dict[str, list[Both | None]]:
    """Purpose or recipient -> labels of the tables with records that name it."""
    found: dict[str, list[Both | None]] = {}
    for table in _tables(data_map, names):
        for name in getattr(table, what):
            found.setdefault(name, []).append(both(table.labels))
    return found


def _tables(data_map: DataMap, names: set[str]) -> Iterable[Any]:
    return (table for name, table in data_map.tables.items() if name in names)


def both(label: Bilingual | None) -> Both | None:
    """A label in both languages as JSON; `wording.localised` makes one of them."""
    return {"ko": label.ko, "en": label.en} if label else None
