"""Our own use passes the gate too: every place that reads a member's data asks it, or says why not.

The source is looked through for calls of the registry. A place that is new, and does not ask, fails
here: let it ask (`drafting.ask_own_gate`, `gate.decide`), or say below who has asked before.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import subjectline.handlers

ROOT = Path(subjectline.handlers.__file__ or "").parent.parent
READS = {
    "read", "contacts", "find", "find_all", "members", "export", "collect", "kept", "asks", "consents",
    "language", "apply", "draft_correction", "draft_withdrawal", "draft_status", "draft_erasure",
}  # fmt: skip

DRAFT = "drafting.draft has asked for this request (`rights-handling`) before it comes here"
WHO = "finds out who asks, before there is a request that is proven; a contested contact proves nothing"
EXISTS = "no value is used: whether there is such a member, and in which language they read"
LATER = "asks for each value before it is used or shown"
# (module, function) -> why it reads without asking itself.
ELSEWHERE = {
    ("handlers/drafting.py", "_correction"): DRAFT,
    ("handlers/drafting.py", "_withdrawal"): DRAFT,
    ("handlers/drafting.py", "_undecided"): DRAFT,
    ("handlers/erasing.py", "of_fields"): DRAFT,
    ("handlers/erasing.py", "of_everything"): DRAFT,
    ("handlers/restrictions.py", "draft"): DRAFT,
    ("handlers/export/gather.py", "gather"): DRAFT,
    ("handlers/export/gather.py", "_head"): DRAFT,
    ("handlers/new_contact.py", "wanted"): DRAFT,
    ("handlers/proposing.py", "_standing"): DRAFT,
    ("handlers/proposing.py", "_about"): DRAFT,
    ("handlers/export/survey.py", "_read"): "both its callers ask",
    ("handlers/identity.py", "known_of"): WHO,
    ("handlers/reception.py", "lookups"): WHO,
    ("handlers/mobile_identity.py", "whose"): WHO,
    ("handlers/phone_call.py", "send"): WHO,
    ("handlers/age.py", "birth_date"): WHO,
    ("handlers/decisions.py", "_member"): EXISTS,
    ("handlers/consents.py", "agree_longer"): EXISTS,
    ("handlers/legal_holds.py", "_whose"): EXISTS,
    ("intake/console/restrictions.py", "_doubt"): EXISTS,
    ("handlers/consents.py", "read_in"): "what was consented to, which is no use of data",
    ("handlers/notices.py", "_list_some"): "ids only; each is asked for before it is mailed",
    ("handlers/chat_closed.py", "_address"): LATER,
    ("handlers/returned.py", "_ways"): LATER,
    ("handlers/page_views.py", "leaves_behind"): "kinds of records and their laws, no value",
    ("handlers/contested.py", "goes_there"): "compared, so that nothing leaves for a held contact",
    ("handlers/waits.py", "warn"): "a warning to every registered contact, so that a thief is seen",
    ("handlers/proxy_letters.py", "principal"): "a warning to the member that a proxy acts",
    ("handlers/restrictions.py", "suspect"): "the member is told of a restriction at once, by law",
}  # fmt: skip

# Shows an agent what was sealed, and does not ask.
SHOWS = {
    (
        "handlers/dead_letters.py",
        "opened",
    ): "nobody could read whose it is, or that it is anybody's",
    (
        "handlers/restricted.py",
        "one",
    ): "the company's own decision, which agents must see to lift it",
    ("handlers/returned.py", "view"): "the agents' own note; each contact beside it is asked for",
}


def shown() -> Iterator[tuple[str, str, bool]]:
    """Each function that opens sealed texts for an agent, and whether it asks the gate."""
    for path in sorted(ROOT.glob("handlers/**/*.py")):
        for found in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(found, ast.AsyncFunctionDef) and _for_agents(found):
                calls = [each.func for each in ast.walk(found) if isinstance(each, ast.Call)]
                if any(map(_opens, calls)):
                    asks = any(_asks(call) or _named(call) in ("shut", "_ask") for call in calls)
                    yield path.relative_to(ROOT).as_posix(), found.name, asks


def _for_agents(found: ast.AsyncFunctionDef) -> bool:
    return any(
        isinstance(a.annotation, ast.Name) and a.annotation.id == "Actor" for a in found.args.args
    )


def _opens(call: ast.expr) -> bool:
    return _named(call) in (
        "opened",
        "open_envelope",
        "messages",
        "_view_of",
        "_view_of_talk",
    ) or _of(call, "vault", {"text", "open"})


def _named(call: ast.expr) -> str:
    return call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "")


def places() -> Iterator[tuple[str, str, bool]]:
    """Each function that reads from the registry, and whether it asks the gate itself."""
    for path in sorted([*ROOT.glob("handlers/**/*.py"), *ROOT.glob("intake/**/*.py")]):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(("handlers/registry/", "intake/sandbox/")):
            continue
        for found in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(found, ast.AsyncFunctionDef):
                calls = [each.func for each in ast.walk(found) if isinstance(each, ast.Call)]
                if any(_of(call, "registry", READS) for call in calls):
                    yield name, found.name, any(map(_asks, calls))


def _of(call: ast.expr, owner: str, names: set[str]) -> bool:
    """Whether it is `….<owner>.<one of the names>(…)`."""
    if not isinstance(call, ast.Attribute) or call.attr not in names:
        return False
    return isinstance(call.value, ast.Attribute) and call.value.attr == owner


def _asks(call: ast.expr) -> bool:
    return _named(call) == "ask_own_gate" or _of(call, "gate", {"decide"})


def test_every_use_of_a_members_data_asks_the_gate_or_says_why_not() -> None:
    silent = {(module, function) for module, function, asks in places() if not asks}
    assert silent == ELSEWHERE.keys()


def test_every_page_of_sealed_texts_asks_the_gate_or_says_why_not() -> None:
    silent = {(module, function) for module, function, asks in shown() if not asks}
    assert silent == SHOWS.keys()
    asking = {function for _, function, asks in shown() if asks}
    assert asking == {"case", "talk", "letter_html", "named", "open_file"}


def test_the_look_sees_who_asks() -> None:
    asking = {(module, function) for module, function, asks in places() if asks}
    assert ("handlers/applying.py", "apply") in asking
    assert ("handlers/notices.py", "_mail") in asking
