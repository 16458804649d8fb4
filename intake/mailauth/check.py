"""Our own DKIM verification of a mail, before it is parsed: bounded in time and in lookups."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from subjectline.intake.mailauth.alignment import aligned, ascii_domain
from subjectline.intake.mailauth.dmarc import Dmarc, published
from subjectline.intake.mailauth.dns import Records
from subjectline.intake.mailauth.evidence import OwnCheck, Result, Signature
from subjectline.intake.mailauth.signatures import Body, Claim, Place, place_of, read_claim, verify
from subjectline.intake.mailparse.addresses import addresses
from subjectline.intake.mailparse.authenticity import judge
from subjectline.intake.mailparse.mime import Headers
from subjectline.models.dkim import (
    KeyRecord,
    Letter,
    head_of,
    read_key_record,
    read_letter,
    value_of,
)
from subjectline.models.errors import BadInput, DoorAway
from subjectline.models.incoming import Tier

MAX_SIGNATURES = 5
_LARGE = 1_000_000  # bytes whose hash would hold up everybody else
# Whoever sends mail on behalf of others says so, and often changes it.
_RELAYS = (
    "list-id",
    "list-post",
    "mailing-list",
    "x-mailing-list",
    "arc-seal",
    "resent-from",
    "resent-to",
    "x-forwarded-to",
    "x-forwarded-for",
)


@dataclass(frozen=True, slots=True)
class _Case:
    letter: Letter
    body: Body
    domain: str  # of From
    arrived_at: datetime
    records: Records


class Checker:
    """Verifies what no border server of ours has judged.

    `seconds` bounds all lookups for one mail; a mail asks for at most seven names (five keys, two
    DMARC policies).
    """

    def __init__(
        self, records: Records, authserv_ids: tuple[str, ...] = (), *, seconds: float = 3.0
    ) -> None:
        self._records, self._authserv_ids, self._seconds = records, authserv_ids, seconds

    async def look(self, raw: bytes, arrived_at: datetime) -> OwnCheck | None:
        """What the signatures of `raw` prove; None where a trusted server's word, or the lack of one
        plain From, has decided already.

        `arrived_at` is the server's, aware. Raises nothing, whatever the bytes.
        """
        try:
            headers = _headers(read_letter(head_of(raw)))
        except BadInput as wrong:
            return OwnCheck(why=wrong.rule)
        senders = addresses(headers.raw("from"))
        if judge(headers, senders, self._authserv_ids).tier is not Tier.UNKNOWN or not senders:
            return None
        letter = read_letter(raw)
        domain = ascii_domain(senders[0].value)
        if not domain:
            return _found(headers, why="the domain of From cannot be looked up")
        case = _Case(letter, Body(letter.body), domain, arrived_at, self._records)
        return await self._in_time(case, headers)

    async def _in_time(self, case: _Case, headers: Headers) -> OwnCheck:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._seconds
        signatures = await _signatures(case, until)
        found = _found(headers, signatures)
        proof = found.proof
        if proof is not None and proof.domain == case.domain:
            return found
        dmarc = await _policy(case, until)
        if dmarc is None:
            return _found(headers, _held(signatures, case.domain), Result.TEMPERROR)
        if proof is not None and dmarc.strict:
            signatures = _only_the_very(signatures, case.domain)
        return _found(headers, signatures, dmarc.policy)


def _headers(letter: Letter) -> Headers:
    return Headers([(name.decode("ascii"), value_of(field)) for name, field in letter.fields])


def _found(
    headers: Headers, signatures: tuple[Signature, ...] = (), policy: str = "", why: str = ""
) -> OwnCheck:
    names = tuple(name for name, _ in headers.items)
    relayed = next((name for name in _RELAYS if name in headers), "")
    return OwnCheck(names, headers.raw("from"), signatures, policy, relayed, why)


async def _signatures(case: _Case, until: float) -> tuple[Signature, ...]:
    """Those of the domain of From first: a stranger can put any number on top of them."""
    fields = [field for name, field in case.letter.fields if name == b"dkim-signature"]
    placed = [(field, place_of(field)) for field in fields]
    placed.sort(key=lambda one: _distance(one[1].domain, case.domain))
    chosen = placed[:MAX_SIGNATURES]
    own = [one for one in chosen if aligned(one[1].domain, case.domain)]
    found = await _all(case, own, until)
    if any(one.result is Result.PASS for one in found):
        return found
    return found + await _all(case, chosen[len(own) :], until)


def _distance(domain: str, of: str) -> int:
    return 0 if domain == of else 1 if aligned(domain, of) else 2


async def _all(
    case: _Case, placed: Sequence[tuple[bytes, Place]], until: float
) -> tuple[Signature, ...]:
    looks = (_signature(case, field, place, until) for field, place in placed)
    return tuple(await asyncio.gather(*looks))


async def _signature(case: _Case, field: bytes, place: Place, until: float) -> Signature:
    result, why = await _result(case, field, until)
    return Signature(
        place.domain,
        place.selector,
        place.algorithm,
        result,
        why,
        aligned(place.domain, case.domain),
    )


async def _result(case: _Case, field: bytes, until: float) -> tuple[Result, str]:
    try:
        claim = read_claim(field)
        async with asyncio.timeout_at(until):
            key = await _key(claim, case.records)
    except BadInput as wrong:
        return Result.PERMERROR, wrong.rule
    except (DoorAway, TimeoutError):
        return Result.TEMPERROR, "the DNS did not answer"
    if len(case.letter.body) > _LARGE:
        await asyncio.to_thread(case.body.hash, relaxed=claim.relaxed_body)
    return verify(claim, key, case.letter, case.body, case.arrived_at)


async def _key(claim: Claim, records: Records) -> KeyRecord:
    texts = await records.txt(f"{claim.selector}._domainkey.{claim.domain}")
    found = [text for text in texts if "p=" in text]
    if len(found) != 1:
        raise BadInput("there is no key" if not found else "there is more than one key")
    return read_key_record(found[0])


async def _policy(case: _Case, until: float) -> Dmarc | None:
    """None where the DNS did not answer."""
    try:
        async with asyncio.timeout_at(until):
            return await published(case.domain, case.records)
    except (DoorAway, TimeoutError):
        return None


def _held(signatures: tuple[Signature, ...], domain: str) -> tuple[Signature, ...]:
    """A proof by another domain of the organisation waits for the word that it may count."""
    return tuple(
        replace(
            one, result=Result.TEMPERROR, why="the DNS did not say whether it may stand for From"
        )
        if one.result is Result.PASS and one.domain != domain
        else one
        for one in signatures
    )


def _only_the_very(signatures: tuple[Signature, ...], domain: str) -> tuple[Signature, ...]:
    return tuple(replace(one, aligned=one.domain == domain) for one in signatures)
