"""The data map as the gate's policy: names, bases and scopes, nothing else."""

from collections.abc import Iterable, Mapping

from subjectline.models.datamap import DataMap
from subjectline.models.tables import GateCaller
from subjectline_client.policy import EVERY, OWN_USE, Caller, Policy, Purpose

RIGHTS_HANDLING = "rights-handling"
# Our agents' looks outside of an open request: as if they stood on every consent there is, so that
# whatever holds the data denies them, a consent that was taken back too.
AGENTS_VIEW = "agents-view"
OUR_OWN = frozenset({RIGHTS_HANDLING, AGENTS_VIEW})  # asked for by nobody but the desk
DESK = "desk"  # our own doors; no key ever opens it


def policy_of(data_map: DataMap, rows: Iterable[GateCaller] = ()) -> Policy:
    """What the gate may know, with the callers of the map and those of the table."""
    home = data_map.home
    return Policy(
        fields=tuple(data_map.fields),
        purposes=_purposes(data_map),
        recipients=frozenset(data_map.recipients),
        callers=callers_of(data_map, rows),
        ids="text-folded" if (home.form, home.case) == ("text", "fold") else home.form,
    )


def callers_of(data_map: DataMap, rows: Iterable[GateCaller]) -> Mapping[str, Caller]:
    """Who may ask. A row of the table counts before the map's entry of that name."""
    found = {
        name: scoped(caller.purposes, (caller.recipient,) if caller.recipient else (), data_map)
        for name, caller in data_map.callers.items()
    }
    for row in rows:
        if row.disabled_at is None:
            found[row.name] = scoped(row.purposes, row.recipients, data_map)
        else:
            found.pop(row.name, None)
    return {**found, DESK: Caller((EVERY,), (EVERY,))}


def scoped(purposes: Iterable[str], recipients: Iterable[str], data_map: DataMap) -> Caller:
    """A caller's scope. Who serves a third party, or somebody unknown to the map, is a partner."""
    served = tuple(recipients)
    return Caller(tuple(purposes), served, any(_outside(name, data_map) for name in served))


def purpose_names(wanted: Iterable[str], data_map: DataMap) -> tuple[str, ...]:
    """The purposes that a hold's list means, by name, in the map's order (for pages and letters)."""
    meant = Policy((), _purposes(data_map)).purposes_of(wanted)
    return tuple(name for name in data_map.purposes if name in meant)


def _outside(name: str, data_map: DataMap) -> bool:
    if name in (EVERY, OWN_USE):
        return False
    recipient = data_map.recipients.get(name)
    return recipient is None or recipient.kind == "third_party"


def _purposes(data_map: DataMap) -> Mapping[str, Purpose]:
    found = {
        name: Purpose(purpose.basis, _consents(name, data_map), frozenset(purpose.fields))
        for name, purpose in data_map.purposes.items()
    }
    views = Purpose("consent", tuple(data_map.consents))
    return {**found, RIGHTS_HANDLING: Purpose("law"), AGENTS_VIEW: views}


def _consents(purpose: str, data_map: DataMap) -> tuple[str, ...]:
    return tuple(name for name, found in data_map.consents.items() if purpose in found.purposes)
