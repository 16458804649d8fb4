"""Mobile identity proof: a redirect to a provider, and a signed result that the browser brings back.

The interface is that of Korean providers (Danal and others): we send the browser with a nonce, the
provider asks the person, and their browser posts a result with CI, name, phone and birth date to us.
Both ways are signed with HMAC-SHA-256 (RFC 2104) under a secret that only the provider and we have.

A result counts once, while it is new, for the request it was begun for, and only in the browser that
began it: whoever sends the provider's page to somebody else gains nothing by their answer. It is
compared with the registry and thrown away; nothing of it is stored or logged.
"""

import base64
import binascii
import hmac
import json
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Fact
from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from subjectline.handlers import audit, identity, proving
from subjectline.models.datamap import Field
from subjectline.models.errors import (
    BadInput,
    BadValue,
    IdentityError,
    NotPermitted,
    SpentProof,
    TooManyTries,
)
from subjectline.models.incoming import Contact
from subjectline.models.keys import token_hash
from subjectline.models.mobile_settings import MobileSettings
from subjectline.models.tables import Conversation, MobileProof, Request
from subjectline.models.workflow import BEFORE_PROOF

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

BACK = "/m/mobile/back"  # where the provider lets the browser post the result
RESULT_LIVES = timedelta(minutes=3)  # from the provider's word for when it was given
AHEAD = timedelta(minutes=1)  # by how much the provider's clock may be before ours
A_DAY = 5  # visits a request may begin in a day: each costs the company money
LARGEST = 4096  # characters of a result
KIND = "phone"


class Result(BaseModel):
    """What the provider says. `at` is when, in seconds since 1970; `birth` is YYYY-MM-DD."""

    model_config = ConfigDict(extra="ignore", strict=True)

    client: str
    nonce: str
    at: int = Fact(ge=0, le=253_402_300_799)
    ci: str = Fact(min_length=1, max_length=200)
    name: str = Fact(min_length=1, max_length=200)
    phone: str = Fact(min_length=1, max_length=40)
    birth: str = Fact(min_length=8, max_length=10)


@dataclass(frozen=True)
class Begun:
    """Where the browser is to go, and the cookie that it must still have when it comes back."""

    url: str
    cookie: str
    minutes: int


@dataclass(frozen=True)
class Finished:
    """Whether the person is known now, and which request it was about."""

    proven: bool
    reference: str
    language: str


def offered(desk: "Desk", request: Request) -> bool:
    """Whether this proof can open the request: it waits for one, and does not change the phone."""
    waits = request.state in BEFORE_PROOF and request.kind != "unclear"
    return (
        desk.mobile is not None
        and waits
        and desk.data_map.contact_field(KIND) is not None
        and not identity.contested(desk, request, Contact(KIND, ""))
    )


async def begin(desk: "Desk", request_id: int, place: str = "pages") -> Begun:
    """Starts a visit for the browser that asks. Raises NotPermitted where it is not offered, and
    TooManyTries after A_DAY visits for this request."""
    settings = _settings(desk)
    nonce, cookie, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), desk.clock()
    async with desk.write() as session:
        request = await session.get_one(Request, request_id)
        if not offered(desk, request):
            raise NotPermitted("this request is not proven by a mobile phone", field="request")
        await _limited(session, request_id, now)
        session.add(
            MobileProof(
                request_id=request_id,
                nonce_hash=token_hash(nonce),
                browser_hash=token_hash(cookie),
                made_at=now,
                expires_at=now + timedelta(minutes=settings.minutes),
            )
        )
        who = audit.Actor(audit.MEMBER.account, place)
        audit.note(session, desk.clock, who, "mobile_begin", request=request)
    return Begun(_address(desk, settings, nonce, now), cookie, settings.minutes)


async def arrive(desk: "Desk", result: str, signature: str, place: str = "pages") -> str:
    """Takes in the signed result of a visit; returns the token that its browser carries on.

    Raises IdentityError for a result that the provider did not sign or that is not for us, SpentProof
    for one that came before, too late or unasked, RegistryAway.
    """
    said = _verified(_settings(desk), result, signature)
    _in_time(said, desk.clock())
    member = await whose(desk, said)
    carried, now = secrets.token_urlsafe(32), desk.clock()
    async with desk.write() as session:
        done = await session.exec(
            update(MobileProof)
            .where(
                col(MobileProof.nonce_hash) == token_hash(said.nonce),
                col(MobileProof.state) == "begun",
                col(MobileProof.expires_at) > now,
            )
            .values(
                state="arrived",
                carried_hash=token_hash(carried),
                registry_id=desk.data_map.registry if member else None,
                subject_id=member,
                arrived_at=now,
            )
        )
        if done.rowcount != 1:
            raise _spent()
        audit.note(
            session, desk.clock, audit.Actor(audit.MEMBER.account, place), "mobile_result",
            outcome="ok" if member else "refused",
        )  # fmt: skip
    return carried


async def finish(desk: "Desk", carried: str, cookie: str, place: str = "pages") -> Finished:
    """Ends a visit in the browser that began it: the request and those of its group are proven, at
    the level `contact`, or it is said that the result fits nobody. Raises SpentProof."""
    async with desk.write() as session:
        proof = await _arrived(session, carried, cookie, desk.clock())
        request = await session.get_one(Request, proof.request_id)
        proof.state = "proven" if proof.subject_id else "nobody"
        session.add(proof)
        opened = await _open(session, desk, request, proof.subject_id, place)
        return Finished(opened, request.reference, request.language)


async def _open(
    session: AsyncSession, desk: "Desk", request: Request, member: str | None, place: str
) -> bool:
    who = audit.Actor(audit.MEMBER.account, place)
    barred = member is not None and await proving.changing(session, desk, member, KIND)
    audit.note(
        session, desk.clock, who, "mobile_identity", request=request,
        subject=(desk.data_map.registry, member) if member else None,
        reason="changing" if barred else "", outcome="ok" if member and not barred else "refused",
    )  # fmt: skip
    if member is None or barred:
        return False
    group = await identity.group_of(session, request.group_id)
    opened = await proving.open_as(session, desk, group, member, KIND, who, "mobile_identity")
    if opened:
        talk = await session.get_one(Conversation, request.conversation_id)
        proving.link(desk, session, talk, member, KIND)
    return bool(opened)


async def whose(desk: "Desk", said: Result) -> str | None:
    """The one member whose registered phone, name and birth date are those of the result.

    What the data map has no field for is not compared; a name alone, or a phone alone where the map
    knows a name, proves nobody. Raises RegistryAway.
    """
    held = _registered(desk, said)
    if held is None:
        return None
    fitting = []
    for member in await desk.registry.find(KIND, said.phone):
        seen = await desk.registry.read(member, held)
        if all(_same(seen[name], value) for name, value in held.items()):
            fitting.append(member)
    return fitting[0] if len(fitting) == 1 else None


def _registered(desk: "Desk", said: Result) -> Mapping[str, str] | None:
    """Name and birth date under the names of the data map's fields, canonical; None: unreadable."""
    told = {"name": said.name, "birth_date": said.birth}
    try:
        return {
            field.name: field.normalise(value)
            for kind, value in told.items()
            if (field := _field(desk, kind)) is not None
        }
    except BadValue:
        return None


def _field(desk: "Desk", kind: str) -> Field | None:
    """The member's own name or birth date: not the holder of an account, which may be another's."""
    known = [f for f in desk.data_map.fields.values() if f.validator.kind == kind]
    at_home = [f for f in known if f.table == desk.data_map.home.table]
    return next(iter(at_home or known), None)


def _same(held: str | None, said: str) -> bool:
    """Names by their letters: not by case, spaces or the form in which a device composes Hangul."""
    return held is not None and _plain(held) == _plain(said)


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


# What is signed


def sign(secret: str, what: str, text: str) -> str:
    """HMAC-SHA-256 in hex. `what` (start, result) keeps one from being shown as the other."""
    return hmac.new(secret.encode(), f"{what}\n{text}".encode(), "sha256").hexdigest()


def packed(said: Mapping[str, Any]) -> str:
    """A result as it travels: JSON in base64url (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(json.dumps(said).encode()).decode()


def _address(desk: "Desk", settings: MobileSettings, nonce: str, now: datetime) -> str:
    """The provider's page with what it must know; nothing about the person stands in it."""
    asked = urlencode(
        {
            "client": settings.client,
            "nonce": nonce,
            "back": f"{desk.manner.public_url}{BACK}",
            "at": int(now.timestamp()),
        }
    )
    signature = sign(settings.secret.get_secret_value(), "start", asked)
    joint = "&" if "?" in settings.url else "?"
    return f"{settings.url}{joint}{asked}&signature={signature}"


def _verified(settings: MobileSettings, result: str, signature: str) -> Result:
    """The signature first: nothing unsigned is read."""
    wanted = sign(settings.secret.get_secret_value(), "result", result)
    if not secrets.compare_digest(wanted.encode(), signature.encode("utf-8", "replace")):
        raise IdentityError("the result was not signed by the provider", field="signature")
    if len(result) > LARGEST:
        raise BadInput("the result is too long", field="result")
    try:
        said = Result.model_validate(json.loads(base64.urlsafe_b64decode(result)))
    except (ValidationError, ValueError, binascii.Error):
        # without its cause: that one would quote what the provider said of the person
        raise BadInput("the result is not as agreed with the provider", field="result") from None
    if said.client != settings.client:
        raise IdentityError("the result is for another client", field="client")
    return said


def _in_time(said: Result, now: datetime) -> None:
    given = datetime.fromtimestamp(said.at, UTC)
    if not now - RESULT_LIVES <= given <= now + AHEAD:
        raise _spent()


async def _arrived(session: AsyncSession, carried: str, cookie: str, now: datetime) -> MobileProof:
    """The visit whose result this browser brought, if it is the one that began it."""
    rows = await session.exec(
        select(MobileProof)
        .where(MobileProof.carried_hash == token_hash(carried), MobileProof.state == "arrived")
        .with_for_update()
    )
    proof = rows.first()
    own = proof is not None and secrets.compare_digest(proof.browser_hash, token_hash(cookie))
    if proof is None or not own or proof.expires_at <= now:
        raise _spent()
    return proof


async def _limited(session: AsyncSession, request_id: int, now: datetime) -> None:
    times: Sequence[datetime] = (
        await session.exec(
            select(MobileProof.made_at)
            .where(MobileProof.request_id == request_id)
            .where(col(MobileProof.made_at) > now - timedelta(days=1))
        )
    ).all()
    if len(times) >= A_DAY:
        raise TooManyTries(
            "this was tried often enough today",
            field="request",
            remedy="Use the code that we sent.",
        )


def _settings(desk: "Desk") -> MobileSettings:
    if desk.mobile is None:
        raise NotPermitted(
            "there is no provider of mobile identity proof",
            field="mobile_identity",
            remedy="Name one in the settings, [mobile_identity].",
        )
    return desk.mobile


def _spent() -> SpentProof:
    return SpentProof(
        "this proof was used already, is too old, or was begun in another browser",
        remedy="Open the page again and begin anew.",
    )
