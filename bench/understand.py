"""Measures the understanding of free text on a set of messages: `python -m bench.understand --set FILE`.

A line of the set is {id, lang, text, kinds, fields, old_values, new_values, also_ok, expect}: the
rights asked for, those that may be found too, and whether the desk should apply, ask or do nothing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench._mails import DESK, SERVER, mails
from subjectline.handlers.understanding import (
    Notes,
    Understanding,
    default_vocabulary,
    understand,
)
from subjectline.intake.mail import MailPolicy, parse_mail

ROUNDS, ROUND_S = 3, 0.7
LETTER = 2_000  # characters of a long letter
SHORT = 200
MAILS = 600
_LOAD = (
    "import time;t=time.perf_counter();"
    "from subjectline.handlers.understanding import default_vocabulary,understand;"
    "understand('x',default_vocabulary());d=time.perf_counter()-t;"
    "print(d,next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
)


@dataclass(frozen=True)
class Case:
    id: str
    lang: str
    text: str
    kinds: frozenset[str]
    also_ok: frozenset[str]
    expect: str
    fields: frozenset[str]
    old_values: Mapping[str, str] = field(default_factory=dict)
    new_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    case: Case
    got: Understanding

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(w.kind for w in self.got.wishes if w.kind != "unclear")

    @property
    def applied(self) -> frozenset[str]:
        return self.kinds if self.got.decision == "apply" else frozenset()

    @property
    def asked(self) -> bool:
        return bool(self.got.question)

    @property
    def wrong(self) -> bool:
        """A right was applied that the person did not ask for.

        Where the set wants a question, a right may stand beside one (a correction without a value).
        """
        clear = self.case.expect == "apply" or self.asked
        return not self.applied <= self.case.also_ok | (self.case.kinds if clear else set())

    @property
    def right(self) -> bool:
        if self.case.expect == "none":
            return self.got.decision == "none" or self.applied <= self.case.also_ok
        return not self.wrong and self.case.kinds <= self.applied


def read_set(path: Path) -> list[Case]:
    lines = path.read_text("utf-8").splitlines()
    return [_case(json.loads(line), n) for n, line in enumerate(lines, 1) if line.strip()]


def _case(row: Mapping[str, Any], number: int) -> Case:
    kinds = frozenset(row.get("kinds") or ())
    return Case(
        id=str(row.get("id", number)),
        lang=row.get("lang", "ko"),
        text=row["text"],
        kinds=kinds,
        also_ok=frozenset(row.get("also_ok") or ()),
        expect=row.get("expect") or ("apply" if kinds else "none"),
        fields=frozenset(row.get("fields") or ()),
        old_values=row.get("old_values") or {},
        new_values=row.get("new_values") or {},
    )


def judge(cases: Sequence[Case]) -> list[Judged]:
    vocabulary = default_vocabulary()
    return [Judged(case, understand(case.text, vocabulary)) for case in cases]


def _f1(judged: Sequence[Judged]) -> float | None:
    hit = sum(len(j.kinds & j.case.kinds) for j in judged)
    extra = sum(len(j.kinds - j.case.kinds - j.case.also_ok) for j in judged)
    missed = sum(len(j.case.kinds - j.kinds) for j in judged)
    total = 2 * hit + extra + missed
    return 2 * hit / total if total else None


def _values(judged: Sequence[Judged]) -> float | None:
    """Share of the values asked for (old and new) that were read exactly, but for blanks."""
    right = total = 0
    for one in judged:
        new = {k: v for w in one.got.wishes for k, v in w.new_values.items()}
        old = {k: v for w in one.got.wishes for k, v in w.old_values.items()}
        for wanted, got in ((one.case.new_values, new), (one.case.old_values, old)):
            total += len(wanted)
            right += sum(_same(got.get(name, ""), value) for name, value in wanted.items())
    return right / total if total else None


def _same(one: str, two: str) -> bool:
    return " ".join(one.split()) == " ".join(str(two).split())


def _speed(texts: Sequence[str]) -> float:
    """Texts a CPU-second, the median of some rounds."""
    return statistics.median(_round(texts) for _ in range(ROUNDS))


def _mail_speed() -> float:
    """Mails a CPU-second as the desk reads them: again with the subject where that may tell more."""
    policy, now = MailPolicy((SERVER,), (DESK,)), datetime.now(UTC)
    read = [
        parse_mail(raw, source_key=str(number), arrived_at=now, policy=policy)
        for number, raw in enumerate(mails(MAILS))
    ]
    vocabulary, took = default_vocabulary(), []
    for _ in range(ROUNDS):
        start = time.process_time()
        for one in read:
            notes = Notes()
            meant = understand(one.text, vocabulary, one.language, notes=notes)
            if meant.decision != "apply":
                both = f"{one.subject}\n{one.text}"
                understand(both, vocabulary, one.language, notes=notes)
        took.append(time.process_time() - start)
    return MAILS / statistics.median(took)


def _round(texts: Sequence[str]) -> float:
    vocabulary, done = default_vocabulary(), 0
    start = time.process_time()
    while (spent := time.process_time() - start) < ROUND_S:
        for text in texts:
            understand(text, vocabulary)
        done += len(texts)
    return done / spent


def _letters(cases: Sequence[Case]) -> list[str]:
    """Long letters: the set's messages, one after the other, cut at about 2,000 characters."""
    letters, held = [], ""
    for case in cases:
        held += case.text + "\n\n"
        if len(held) >= LETTER:
            letters.append(held)
            held = ""
    return letters or [held]


def _fresh() -> tuple[float, float]:
    """Seconds to import and compile, and resident MB, in a process of its own."""
    run = subprocess.run([sys.executable, "-c", _LOAD], capture_output=True, text=True, check=True)
    seconds, kilobytes = run.stdout.split()
    return float(seconds), int(kilobytes) / 1024


def measure(cases: Sequence[Case]) -> list[dict[str, Any]]:
    judged = judge(cases)
    auto = [j for j in judged if not j.asked]
    wrong = [j.case.id for j in judged if j.wrong]
    load, rss = _fresh()
    short = [c.text for c in cases if len(c.text) <= SHORT] or [c.text for c in cases]
    rows: list[tuple[str, Callable[[], float | None], str, str]] = [
        ("f1_ko", lambda: _f1([j for j in judged if j.case.lang == "ko"]), "F1", ""),
        ("f1_en", lambda: _f1([j for j in judged if j.case.lang == "en"]), "F1", ""),
        ("auto_right", lambda: _share(auto, [j for j in auto if j.right]), "share", ""),
        ("auto_share", lambda: _share(judged, auto), "share", f"{len(auto)} of {len(judged)}"),
        ("asks", lambda: float(len(judged) - len(auto)), "messages", ""),
        ("wrong", lambda: float(len(wrong)), "messages", " ".join(wrong)),
        ("values_right", lambda: _values(judged), "share", ""),
        ("short_per_cpu_s", lambda: _speed(short), "msg/s", f"up to {SHORT} characters"),
        ("letters_per_cpu_s", lambda: _speed(_letters(cases)), "msg/s", f"{LETTER} characters"),
        ("mails_per_cpu_s", _mail_speed, "msg/s", "of bench.mail_in, subject and all"),
        ("load_s", lambda: load, "s", "import and compile"),
        ("rss_mb", lambda: rss, "MB", "after one message"),
    ]
    return [_row(name, value(), unit, note) for name, value, unit, note in rows]


def _share(all_: Sequence[Judged], some: Sequence[Judged]) -> float | None:
    return len(some) / len(all_) if all_ else None


def _row(name: str, ours: float | None, unit: str, note: str) -> dict[str, Any]:
    figure = None if ours is None else round(ours, 3)
    note = note if ours is not None else "nothing in the set to measure it on"
    row = {"case": f"understand/{name}", "ours": figure, "peer": None, "unit": unit}
    return row | {"ratio": None, "note": note}


def _faults(judged: Sequence[Judged]) -> None:
    """For the one who writes rules: which messages went wrong, by id and kinds, without text."""
    for one in judged:
        mark = "WRONG" if one.wrong else "" if one.right else "asked" if one.asked else "missed"
        if mark and one.case.expect != "ask":
            print(mark, one.case.id, sorted(one.case.kinds), sorted(one.kinds), one.got.question)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.understand")
    default = Path("tests/handlers/understanding/dev.jsonl")
    parser.add_argument("--set", type=Path, default=default, dest="path")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--faults", action="store_true", help="only list what went wrong")
    options = parser.parse_args(arguments)
    cases = read_set(options.path)
    if options.faults:
        _faults(judge(cases))
        return 0
    rows = measure(cases)
    for row in rows:
        print(json.dumps(row) if options.json else f"{row['case']:34} {row['ours']} {row['unit']}")
    return int(any(row["ours"] is None for row in rows))


if __name__ == "__main__":
    sys.exit(main())
