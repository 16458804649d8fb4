"""Recipients of the data in tests: a desk that tells some by webhook and one by mail, and what left."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from desks import CORRECT, NOW, Office, Tray, office_in
from signing import proven

from subjectline.handlers import recipients_outbox
from subjectline.handlers.recipients_outbox import Ways
from subjectline.intake.sandbox.people import KO_MEMBER
from subjectline.models.clock import FrozenClock
from subjectline.models.datamap import DataMap
from subjectline.models.keys import KeyRing, KeyStore, Vault
from subjectline.models.recipient_settings import Reach, RecipientSettings
from subjectline.models.tables import Telling

SECRET = "a-secret-of-the-tests-only-0123456789"
MAIL = "privacy@kakao.example"
REACH = {
    "post_office": Reach(webhook="https://post.example/told", secret=SECRET),
    "danal": Reach(webhook="https://danal.example/told", secret=SECRET),
    "nurigo": Reach(webhook="https://nurigo.example/told", secret=SECRET),
    "kakao": Reach(mail=MAIL, language="ko"),
}


@dataclass
class Posts:
    """The webhooks of all recipients: keeps what is posted; acknowledges for those in `says_yes`."""

    got: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    wrong: list[Exception] = field(default_factory=list)  # raised instead, once each
    says_yes: set[str] = field(default_factory=set)
    gate: asyncio.Event | None = None  # a call waits for it
    dies: bool = False  # with the next notice posted, before anybody wrote it down
    hangs: set[str] = field(default_factory=set)  # whose calls never end
    came: asyncio.Event = field(default_factory=asyncio.Event)  # set with each notice

    async def post(self, reach: Reach, notice_id: str, notice: Mapping[str, Any]) -> bool:
        if self.gate is not None:
            await self.gate.wait()
        if self.wrong:
            raise self.wrong.pop(0)
        name = str(notice["data"]["recipient"])
        if name in self.hangs:
            await asyncio.Event().wait()
        self.came.set()
        self.got.append((name, notice_id, notice))
        if self.dies:
            self.dies = False
            raise asyncio.CancelledError
        return name in self.says_yes

    @property
    def names(self) -> set[str]:
        """Who got anything."""
        return {who for who, _, _ in self.got}

    def to(self, name: str) -> list[Mapping[str, Any]]:
        return [notice for who, _, notice in self.got if who == name]

    def number(self, name: str) -> str:
        """The id of the last notice to a recipient."""
        return [number for who, number, _ in self.got if who == name][-1]

    def kinds(self, name: str) -> list[str]:
        return [str(one["type"]).removeprefix("recipient.") for one in self.to(name)]


@dataclass
class Telephone:
    """An office that tells recipients: `tell()` sends what is due."""

    office: Office
    posts: Posts
    letters: Tray

    @property
    def ways(self) -> Ways:
        return Ways(self.posts, self.letters)

    async def tell(self) -> None:
        while await recipients_outbox.once(self.office.desk, self.ways):
            pass

    async def rows(self, recipient: str) -> list[Telling]:
        return await self.office.all(Telling, Telling.recipient == recipient)

    async def row(self, recipient: str) -> Telling:
        return (await self.rows(recipient))[-1]

    async def days(self, days: float) -> None:
        """So much later, with what is due then."""
        self.office.clock.advance(timedelta(days=days))
        await self.tell()


def telephone(office: Office, **settings: Any) -> Telephone:
    told = RecipientSettings(reach=REACH, **settings)
    office.desk = replace(office.desk, recipients=told)
    return Telephone(office, Posts(), Tray())


def with_recipient(data_map: DataMap, name: str, **changed: Any) -> DataMap:
    """The map with one recipient changed."""
    recipients = dict(data_map.recipients)
    recipients[name] = recipients[name].model_copy(update=changed)
    return data_map.model_copy(update={"recipients": recipients})


def reopened(template: Path, folder: Path, data_map: DataMap) -> Telephone:
    """The desk of a folder that `proven_once` made, in a copy of its own."""
    shutil.copytree(template, folder)
    return opened(folder, data_map)


def opened(folder: Path, data_map: DataMap) -> Telephone:
    """The desk of such a copy as it stands."""
    office = office_in(
        folder, f"sqlite+aiosqlite:///{folder / 'desk.db'}", data_map, FrozenClock(NOW)
    )
    vault = Vault(KeyRing.load(folder / "ring.json"), KeyStore(folder / "keys.db"))
    office.desk.vault.close()
    office.desk = replace(office.desk, vault=vault)
    return telephone(office)


@pytest.fixture(scope="session")
def proven_once(
    desk_template: Path,
    company_template: Path,
    sample_map: DataMap,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A desk on which a member's correction of the address is proven and nobody was told, to be copied."""
    folder = tmp_path_factory.mktemp("proven") / "desk"
    folder.mkdir()
    shutil.copy(company_template, folder / "company.db")
    shutil.copy(desk_template, folder / "desk.db")
    KeyRing.generate().save(folder / "ring.json")
    asyncio.run(_prove(folder, sample_map))
    return folder


async def _prove(folder: Path, data_map: DataMap) -> None:
    copy = folder.parent / "made"
    phone = reopened(folder, copy, data_map)
    await proven(phone.office, KO_MEMBER.email, CORRECT)
    await phone.office.close()
    shutil.copytree(copy, folder, dirs_exist_ok=True)


@pytest.fixture
async def told(proven_once: Path, sample_map: DataMap, tmp_path: Path) -> AsyncIterator[Telephone]:
    """A proven correction of which the post office has not heard yet."""
    phone = reopened(proven_once, tmp_path / "told", sample_map)
    yield phone
    await phone.office.close()
