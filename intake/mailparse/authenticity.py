"""How far the sender of a mail can be believed, and why (RFC 8601, RFC 7489).

Only the top-most Authentication-Results of a configured authserv-id counts: our own border wrote
it, and everything below it may have been written by the sender.
"""

import re
from dataclasses import dataclass

from authres import AuthenticationResultsHeader

from subjectline.intake.mailparse.addresses import Address
from subjectline.intake.mailparse.mime import Headers
from subjectline.models.incoming import Tier

_MAX_FIELD = 16_384
# No border server writes a comment before its name; a sender who wants to slip by one that strips
# only plain headers does.
_SERVER = re.compile(r'\s*(?:"([^"]{1,255})"|([^\s;()"]{1,255}))\s*(?:\d+\s*)?(?:;|\Z)')
_METHODS = ("dmarc", "dkim", "spf", "arc")


@dataclass(frozen=True, slots=True)
class Judgement:
    tier: Tier
    evidence: dict[str, str]  # without personal data


def judge(headers: Headers, senders: list[Address], authserv_ids: tuple[str, ...]) -> Judgement:
    """The tier of a mail from `senders` (the addresses of its From) and the evidence for it."""
    flaw = _flaw(headers, senders)
    if flaw:
        return Judgement(flaw[0], {"why": flaw[1]})
    own = _own_results(headers, authserv_ids)
    if own is None:
        return Judgement(Tier.UNKNOWN, {"why": "no result of a trusted server"})
    server, results = own
    if results is None:
        return Judgement(Tier.UNKNOWN, {"server": server, "why": "the result cannot be read"})
    found = {method: _first(results, method) for method in _METHODS}
    evidence = {"server": server} | {method: word for method, word in found.items() if word}
    tier, why = _by_dmarc(results, senders[0].domain)
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
        named = _SERVER.match(text)
        server = (named[1] or named[2]).lower().rstrip(".") if named else ""
        if server in trusted:
            # The first one decides even if it cannot be read: the next may be the sender's own.
            return server, _parse(text)
    return None


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
