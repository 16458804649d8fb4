"""How far the sender of a mail can be believed, and why (RFC 8601, RFC 7489).

Only the top-most Authentication-Results of a configured authserv-id counts: our own border wrote
it, and everything below it may have been written by the sender. Where it leaves the question open,
our own check of the signatures answers it (`intake.mailauth`), made before the mail is parsed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from authres import AuthenticationResultsHeader

from subjectline.intake.mailauth.evidence import OwnCheck, Result
from subjectline.intake.mailparse.addresses import Address, addresses
from subjectline.intake.mailparse.mime import Headers
from subjectline.models.incoming import Tier

_MAX_FIELD = 16_384
_SERVER = re.compile(r'"((?:[^"\\]|\\.){1,255})"|([^\s;()"]{1,255})', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NO_TOKEN = re.compile(r"[/=,:<>@?\[\]\\]")  # RFC 2045, 5.1: these end a name
_VERSION = re.compile(r"\d{1,9}")
_METHODS = ("dmarc", "dkim", "spf", "arc")


@dataclass(frozen=True, slots=True)
class Judgement:
    tier: Tier
    evidence: dict[str, str]  # without personal data


def judge(
    headers: Headers,
    senders: list[Address],
    authserv_ids: tuple[str, ...],
    own_check: OwnCheck | None = None,
) -> Judgement:
    """The tier of a mail from `senders` (the addresses of its From) and the evidence for it.

    `own_check` is what our verification of this very mail found, where it was made.
    """
    flaw = _flaw(headers, senders)
    if flaw:
        return Judgement(flaw[0], {"why": flaw[1]})
    own = _own_results(headers, authserv_ids)
    said = _by_server(own, senders[0].domain)
    if own_check is None or said.tier is not Tier.UNKNOWN:
        return said
    return _by_own_check(own_check, headers, senders, said)


def _by_server(own: "tuple[str, Results | None] | None", sender_domain: str) -> Judgement:
    if own is None:
        return Judgement(Tier.UNKNOWN, {"why": "no result of a trusted server"})
    server, results = own
    if results is None:
        return Judgement(Tier.UNKNOWN, {"server": server, "why": "the result cannot be read"})
    found = {method: _first(results, method) for method in _METHODS}
    evidence = {"server": server} | {method: word for method, word in found.items() if word}
    tier, why = _by_dmarc(results, sender_domain)
    return Judgement(tier, evidence | {"why": why})


def _flaw(headers: Headers, senders: list[Address]) -> tuple[Tier, str] | None:
    fields = len(headers.all("from"))
    if fields > 1:
        return Tier.FAILED, "more than one From field"
    if not fields:
        return Tier.UNKNOWN, "no From field"
    if len(senders) > 1:
        return Tier.FAILED, "more than one address in From"
    return None if senders else (Tier.UNKNOWN, "no address in From")


Results = list[tuple[str, str, str]]  # method, result, domain of header.from


def _own_results(
    headers: Headers, authserv_ids: tuple[str, ...]
) -> tuple[str, Results | None] | None:
    trusted = {server.lower().rstrip(".") for server in authserv_ids}
    for raw in headers.all("authentication-results"):
        text = raw[:_MAX_FIELD].decode("utf-8", "replace")
        server, at, plain = _server(text, trusted)
        if server in trusted:
            # The first one decides even if it cannot be read: the next may be the sender's own.
            rest = _after_server(text, at) if plain else None
            return server, _parse(f"x{rest}") if rest is not None else None
    return None


def _server(text: str, trusted: set[str]) -> tuple[str, int, bool]:
    """The authserv-id, where it ends, and whether it is written as a border server writes it.

    None of them puts a comment before its name; a sender who wants to slip by one that strips only
    plain headers does. Such a field ends the search all the same, and proves nothing.
    """
    start = _past_comments(text, 0)
    named = _SERVER.match(text, start)
    if named is None:
        return "", start, False
    plain = not text[:start].strip()
    server = _ESCAPED.sub(r"\1", named[1] or named[2]).lower().rstrip(".")
    if server in trusted:
        return server, named.end(), plain
    return _NO_TOKEN.split(server, maxsplit=1)[0].rstrip("."), named.end(), False


def _after_server(text: str, at: int) -> str | None:
    """The results from their first semicolon on; None where something else follows the id."""
    at = _past_comments(text, at)
    version = _VERSION.match(text, at)
    if version is not None:
        at = _past_comments(text, version.end())
        if int(version[0]) != 1:  # RFC 8601, 2.2: of another version nothing is known
            return None
    # Yahoo and others end the field with a semicolon that nothing follows.
    return text[at:].rstrip(" \t\r\n;") if text[at : at + 1] in ("", ";") else None


def _past_comments(text: str, at: int) -> int:
    """Where the blanks and comments (RFC 5322, 3.2.2: nested, with escapes) from `at` on end."""
    depth = 0
    while at < len(text):
        letter = text[at]
        if not depth and letter != "(" and not letter.isspace():
            break
        depth += (letter == "(") - (letter == ")")
        at += 2 if letter == "\\" else 1
    return at


@lru_cache(maxsize=64)  # asked by our own check and again by the parser, a moment later
def _parse(text: str) -> Results | None:
    try:
        header = AuthenticationResultsHeader.parse_value(text)
        return [_result(one) for one in header.results or ()]
    # authres raises its own SyntaxError, and RecursionError on comments in comments.
    except Exception:
        return None


def _result(one: object) -> tuple[str, str, str]:
    properties = getattr(one, "properties", None) or ()
    domain = next(
        (str(p.value) for p in properties if (p.type, p.name) == ("header", "from")),
        "",
    )
    method, result = str(getattr(one, "method", "")), str(getattr(one, "result", ""))
    return method.lower(), result.lower(), _domain(domain)


def _domain(value: str) -> str:
    """`value` (an address or a domain) as a lower-case ASCII domain."""
    domain = value.strip().strip("<>").rpartition("@")[2].lower().rstrip(".")
    if domain.isascii() or len(domain) > 253:
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _first(results: Results, method: str) -> str:
    return next((result[:20] for name, result, _ in results if name == method), "")


def _by_dmarc(results: Results, sender_domain: str) -> tuple[Tier, str]:
    dmarc = [(result, domain) for method, result, domain in results if method == "dmarc"]
    if not dmarc:
        return Tier.UNKNOWN, "no DMARC result"
    if any(result == "fail" for result, _ in dmarc):
        return Tier.FAILED, "DMARC failed"
    if any(result != "pass" for result, _ in dmarc):
        return Tier.UNKNOWN, "DMARC neither passed nor failed"
    if all(domain and domain == _domain(sender_domain) for _, domain in dmarc):
        return Tier.ALIGNED, "DMARC passed for the domain of From"
    return Tier.UNKNOWN, "DMARC passed for another domain than that of From"


def _by_own_check(
    check: OwnCheck, headers: Headers, senders: list[Address], said: Judgement
) -> Judgement:
    """Where a server of ours said something, our check may only raise: it saw more than we do."""
    tier, words = _weighed(check, headers, senders)
    if tier is Tier.FAILED and "server" in said.evidence:
        tier, words = Tier.UNKNOWN, {"why": said.evidence["why"]}
    return Judgement(tier, said.evidence | words)


def _weighed(
    check: OwnCheck, headers: Headers, senders: list[Address]
) -> tuple[Tier, dict[str, str]]:
    if check.why:
        return Tier.UNKNOWN, {"why": f"our own check: {check.why}"}
    if not _read_alike(check, headers, senders):
        return Tier.UNKNOWN, {"why": "our own check read another header than the parser"}
    words = _of_signature(check)
    if check.proof is not None:
        return Tier.ALIGNED, words | {"why": "a DKIM signature of the domain of From"}
    if check.policy:
        words["policy"] = check.policy
    tier, why = _without_proof(check)
    return tier, words | {"why": why}


def _read_alike(check: OwnCheck, headers: Headers, senders: list[Address]) -> bool:
    """What was verified is what is shown, or it proves nothing."""
    names = tuple(name for name, _ in headers.items)
    verified = [one.value for one in addresses(check.sender)]
    return names == check.names and verified == [one.value for one in senders]


def _of_signature(check: OwnCheck) -> dict[str, str]:
    """The signature that decides, or the one that came nearest."""
    first = check.proof or next(iter(check.signatures), None)
    if first is None:
        return {"dkim": "none"}
    words = {"dkim": first.result.value, "domain": first.domain, "selector": first.selector}
    return {key: word for key, word in (words | {"dkim_why": first.why}).items() if word}


def _without_proof(check: OwnCheck) -> tuple[Tier, str]:
    if check.uncertain:
        return Tier.UNKNOWN, "the DNS did not answer in time"
    if check.relayed:
        return Tier.UNKNOWN, f"a list or forwarder ({check.relayed}) may have changed it"
    if any(one.aligned and one.result is Result.POLICY for one in check.signatures):
        return Tier.UNKNOWN, "the signature of the domain of From proves too little"
    if check.policy in ("quarantine", "reject"):
        return Tier.FAILED, f"nothing proves the domain of From, which asks to {check.policy}"
    if any(one.aligned for one in check.signatures):
        return Tier.UNKNOWN, "the signature of the domain of From does not hold"
    return Tier.UNKNOWN, "no signature of the domain of From"
