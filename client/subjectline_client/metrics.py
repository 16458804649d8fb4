"""What a client counts, as a dict and as Prometheus' text (exposition format 0.0.4)."""

from collections.abc import Mapping
from math import inf

from subjectline_client.asking import NOT_ENFORCED, Asker
from subjectline_client.core import steady
from subjectline_client.following import Following

Figure = int | float | str | dict[str, int]

_HELP = {
    "permits_total": "Permits given, by this process.",
    "denials_total": "Denials, by their first reason.",
    "would_deny_total": f"Permits that are {NOT_ENFORCED} and would have been denials, by reason.",
    "pulls_total": "Questions to the gate for what has changed.",
    "pull_failures_total": "Those that were not answered in time.",
    "snapshots_total": "Snapshots taken.",
    "gaps_total": "Answers in which a revision was missing.",
    "wakes_total": "Wake-ups over the stream.",
    "uses_unreported": "Rows of counted uses that the gate has not taken yet.",
    "revision": "Revision of the state that answers.",
    "age_seconds": "Age of that state; -1 where it was never in step.",
    "holds": "Holds in force that concern this caller.",
    "enforced": f"1 if denials are enforced; 0: {NOT_ENFORCED}.",
}


def figures(asker: Asker, following: Following) -> dict[str, Figure]:
    """Every figure by name; those with a reason are dicts. `mode` says it in words."""
    state, counts, tally = asker.state, following.counts, asker.tally
    age = steady() - state.synced_at
    return {
        "permits_total": tally.total(),
        "denials_total": dict(+tally.reasons),
        "would_deny_total": dict(+tally.would_deny),
        **{f"{name}_total": counts[name] for name in _COUNTED},
        "uses_unreported": tally.unreported(),
        "revision": state.revision,
        "age_seconds": round(age, 3) if age < inf else -1,
        "holds": len(state),
        "enforced": int(asker.enforced),
        "mode": "enforce" if asker.enforced else f"observe ({NOT_ENFORCED})",
    }


_COUNTED = ("pulls", "pull_failures", "snapshots", "gaps", "wakes")


def text(found: Mapping[str, Figure]) -> str:
    """The same for Prometheus. No label has anything of a member."""
    lines = []
    for name, words in _HELP.items():
        full = f"subjectline_gate_{name}"
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# HELP {full} {words}", f"# TYPE {full} {kind}"]
        value = found[name]
        if isinstance(value, dict):
            lines += [f'{full}{{reason="{why}"}} {number}' for why, number in sorted(value.items())]
        else:
            lines.append(f"{full} {value}")
    return "\n".join(lines) + "\n"
