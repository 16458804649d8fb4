"""The sample company: a member database with rows in every table that its policy implies.

The same clock gives the same rows. Nobody in it exists.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncEngine

from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.schema import Schema
from subjectline.intake.sandbox.people import (
    EN_MEMBER,
    KNOWN,
    KO_MEMBER,
    OTHER_MEMBER,
    Person,
    invent,
)
from subjectline.models.clock import Clock
from subjectline.models.datamap import load_map

__all__ = [
    "EN_MEMBER",
    "KNOWN",
    "KO_MEMBER",
    "MAP",
    "MEMBERS",
    "OTHER_MEMBER",
    "POLICIES",
    "create_company",
    "fill",
    "people",
]

HOME = Path(__file__).parent / "moment-pick"
MAP = HOME / "map.yaml"
POLICIES = HOME / "policies"
MEMBERS = 300
_SEED = 20210513

_AREAS = {
    "ko": ("서울 마포구", "부산 해운대구", "제주시", "강릉시", "전주시", "대구 중구"),
    "en": ("Mapo-gu, Seoul", "Haeundae-gu, Busan", "Jeju City", "Yongsan-gu, Seoul"),
}
_TASTES = {
    "ko": ("풍경, 골목", "음식, 카페", "인물, 일상", "여행, 바다", "반려동물", "건축, 야경"),
    "en": ("landscape, street", "food, cafés", "portraits", "travel, sea", "architecture"),
}
_TITLES = {
    "ko": ("비 갠 골목", "첫눈 오는 아침", "시장의 저녁", "파도와 방파제", "창가의 고양이"),
    "en": ("Alley after rain", "First snow", "Market at dusk", "Waves and pier", "Cat by a window"),
}
_BANKS = ("국민은행", "신한은행", "우리은행", "하나은행", "농협은행", "카카오뱅크")
_MODELS = (("Galaxy S24", "Android 14"), ("Galaxy A35", "Android 14"), ("iPhone 15", "iOS 18"))
_PAGES = ("/", "/my/information", "/contents", "/sales", "/payments", "/notices", "/login")
_ACTIONS = ("login", "upload", "sales registration", "like", "search", "profile edit")
_ASKED = {
    "ko": (
        "정산은 언제 되나요?",
        "지난달 판매분의 정산일이 궁금합니다.",
        "매월 15일에 입금됩니다.",
    ),
    "en": ("When am I paid?", "When is last month's sale paid out?", "On the 15th of each month."),
}

Rows = dict[str, list[dict[str, Any]]]


def people(members: int = MEMBERS) -> list[Person]:
    """The members of the sample company, in the order of their numbers."""
    return list(invent(members, Random(_SEED)))


async def create_company(path: Path, clock: Clock) -> None:
    """Makes the SQLite member database at `path`, anew if a file stands there.

    300 members; those of `KNOWN` have rows in every table and every consent. Times lie before
    `clock()`.
    """
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    engine = open_engine(f"sqlite:///{path}")
    try:
        await fill(engine, clock())
    finally:
        await engine.dispose()


async def fill(engine: AsyncEngine, now: datetime, members: int = MEMBERS) -> None:
    """Makes the tables and rows in an empty database (SQLite or PostgreSQL)."""
    schema = Schema(load_map(MAP))
    rows = _Generator(now.replace(microsecond=0), members).rows()
    async with engine.begin() as connection:
        for statement in (HOME / "schema.sql").read_text(encoding="utf-8").split(";"):
            if statement.strip():
                await connection.execute(text(statement))
        for table in reversed(schema.children_first(rows)):
            if rows[table]:
                await connection.execute(insert(schema[table]), rows[table])


class _Generator:
    def __init__(self, now: datetime, members: int) -> None:
        self._now = now
        # Invented rows, not secrets: the same seed gives the same company.
        self._random = Random(_SEED)
        self._people = list(invent(members, self._random))
        self._rows: Rows = {name: [] for name in load_map(MAP).tables}

    def rows(self) -> Rows:
        for person in self._people:
            self._member(person)
            self._details(person)
            self._consents(person)
            self._contents(person)
            self._payments(person)
            self._usage(person)
            self._support(person)
        self._sales()
        return self._rows

    def _add(self, table: str, **row: Any) -> dict[str, Any]:
        self._rows[table].append(row)
        return row

    def _next(self, table: str) -> int:
        return len(self._rows[table]) + 1

    def _ago(self, days: float) -> str:
        seconds = self._random.randrange(86_400)
        return (self._now - timedelta(days=days, seconds=seconds)).isoformat()

    def _often(self, person: Person, share: float) -> bool:
        """Chance, but always for the known members, whose rows the stories need."""
        return self._random.random() < share or person in KNOWN

    def _one(self, person: Person, words: Mapping[str, tuple[str, ...]]) -> str:
        return self._random.choice(words[person.language])

    def _member(self, person: Person) -> None:
        born = datetime(1960, 1, 1) + timedelta(days=self._random.randrange(16_500))  # noqa: DTZ001
        self._add(
            "member",
            member_id=person.number,
            name=person.name,
            birth_date=born.date().isoformat(),
            gender=person.gender,
            phone=person.phone,
            email=person.email,
            nickname=person.nickname,
            language=person.language,
            status="active",
            joined_at=self._ago(self._random.randrange(400, 1600)),
            left_at=None,
        )

    def _details(self, person: Person) -> None:
        self._add(
            "credential",
            member_id=person.number,
            password_hash="scrypt$" + sha256(person.email.encode()).hexdigest(),
            changed_at=self._rows["member"][-1]["joined_at"],
        )
        self._add(
            "profile",
            member_id=person.number,
            preferences=self._one(person, _TASTES) if self._often(person, 0.7) else None,
            activity_area=self._one(person, _AREAS) if self._often(person, 0.6) else None,
            shipping_address=self._address(person) if self._often(person, 0.8) else None,
            kakao_id=f"talk{person.number}" if self._often(person, 0.5) else None,
            instagram_id=person.handle if self._often(person, 0.7) else None,
            facebook_id=f"fb.{person.number}" if self._often(person, 0.3) else None,
            updated_at=self._ago(self._random.randrange(1, 300)),
        )
        self._add(
            "payout_account",
            member_id=person.number,
            bank_name=self._random.choice(_BANKS),
            account_number=f"000{self._random.randrange(10**9):09d}",
            account_holder=person.name,
            updated_at=self._ago(self._random.randrange(1, 300)),
        )

    def _address(self, person: Person) -> str:
        number = self._random.randrange(1, 200)
        if person.language == "ko":
            return f"서울특별시 보기구 견본로 {number}, {number % 20 + 1}층"
        return f"{number} Gyeonbon-ro, Bogi-gu, Seoul"

    def _consents(self, person: Person) -> None:
        marketing, third_party = self._often(person, 0.6), self._often(person, 0.8)
        joined = self._rows["member"][-1]["joined_at"]
        self._add(
            "member_consent",
            member_id=person.number,
            terms_at=joined,
            privacy_at=joined,
            policy_version="1",
            marketing_email=marketing,
            marketing_sms=marketing and self._often(person, 0.5),
            marketing_changed_at=joined if marketing else None,
            third_party=third_party,
            third_party_changed_at=joined if third_party else None,
        )
        if marketing:
            held = {"email": person.email, "phone": person.phone, "nickname": person.nickname}
            self._add("mailing_list", member_id=person.number, added_at=joined, **held)

    def _contents(self, person: Person) -> None:
        for position in range(self._random.randrange(1, 5)):
            number = self._next("content")
            content = self._add(
                "content",
                content_id=number,
                member_id=person.number,
                title=self._one(person, _TITLES),
                kind=self._random.choice(("image", "image", "video")),
                place=self._one(person, _AREAS),
                image_url=f"https://cdn.moment-pick.example/o/{number}",
                thumbnail_url=f"https://cdn.moment-pick.example/t/{number}",
                uploaded_at=self._ago(self._random.randrange(20, 390)),
            )
            if position == 0 or self._random.random() < 0.5:
                self._listing(person, content, "open" if position == 0 else "closed")

    def _listing(self, person: Person, content: dict[str, Any], status: str) -> None:
        self._add(
            "sale_listing",
            listing_id=self._next("sale_listing"),
            content_id=content["content_id"],
            seller_nickname=person.nickname,
            seller_instagram=self._rows["profile"][-1]["instagram_id"],
            licence=self._random.choice(("web", "print", "web, print")),
            price=self._random.randrange(5, 120) * 1000,
            status=status,
            listed_at=content["uploaded_at"],
        )

    def _payments(self, person: Person) -> None:
        account = self._rows["payout_account"][-1]
        held = {k: account[k] for k in ("bank_name", "account_number", "account_holder")}
        for status, share in (("paid", 0.5), ("requested", 0.3)):
            if self._often(person, share):
                paid = self._add(
                    "payment_request",
                    request_id=self._next("payment_request"),
                    member_id=person.number,
                    amount=self._random.randrange(10, 300) * 1000,
                    status=status,
                    requested_at=self._ago(3 if status == "requested" else 90),
                    **held,
                )
                if status == "paid":
                    self._tax(person, paid)
        address = self._rows["profile"][-1]["shipping_address"]
        for status in ("delivered", "preparing"):
            if address and self._often(person, 0.3):
                self._shipping(person, address, status)

    def _tax(self, person: Person, paid: dict[str, Any]) -> None:
        """Half-years are filed until 25 July and 25 January (VAT Act, Articles 5 and 49)."""
        issued = datetime.fromisoformat(paid["requested_at"])
        half = 1 if issued.month < 7 else 2
        filing = date(issued.year, 7, 25) if half == 1 else date(issued.year + 1, 1, 25)
        self._add(
            "vat_record",
            record_id=self._next("vat_record"),
            member_id=person.number,
            tax_period=f"{issued.year}-{half}",
            supply_amount=paid["amount"],
            vat_amount=paid["amount"] // 10,
            issued_at=paid["requested_at"],
            final_filing_on=filing.isoformat(),
        )

    def _shipping(self, person: Person, address: str, status: str) -> None:
        self._add(
            "shipping",
            shipping_id=self._next("shipping"),
            member_id=person.number,
            item="경품 엽서 세트" if person.language == "ko" else "Prize: set of postcards",
            recipient_name=person.name,
            phone=person.phone,
            address=address,
            status=status,
            requested_at=self._ago(2 if status == "preparing" else 120),
        )

    def _usage(self, person: Person) -> None:
        whose = {"member_id": person.number}
        cookie = sha256(f"cookie{person.number}".encode()).hexdigest()[:16]
        for _ in range(self._random.randrange(4, 12)):
            self._add(
                "access_log", log_id=self._next("access_log"), cookie_id=cookie,
                ip_address=f"192.0.2.{self._random.randrange(1, 255)}",
                path=self._random.choice(_PAGES), accessed_at=self._ago(self._days(80)), **whose,
            )  # fmt: skip
            self._add(
                "service_use", use_id=self._next("service_use"),
                action=self._random.choice(_ACTIONS), used_at=self._ago(self._days(80)), **whose,
            )  # fmt: skip
        model, system = self._random.choice(_MODELS)
        self._add(
            "device", device_id=self._next("device"), model=model, system=system,
            fingerprint=sha256(f"device{person.number}".encode()).hexdigest(),
            first_seen_at=self._ago(self._days(300)), **whose,
        )  # fmt: skip
        if self._often(person, 0.03):
            self._add(
                "misuse_record", record_id=self._next("misuse_record"), measure="warning",
                reason="repeated upload of the same image",
                recorded_at=self._ago(self._days(120)), **whose,
            )  # fmt: skip

    def _days(self, most: int) -> int:
        return self._random.randrange(1, most)

    def _support(self, person: Person) -> None:
        whose = {"member_id": person.number}
        self._add(
            "identity_check", check_id=self._next("identity_check"), provider="Danal",
            phone=person.phone, result="confirmed", checked_at=self._ago(self._days(150)), **whose,
        )  # fmt: skip
        if self._often(person, 0.25):
            subject, body, answer = _ASKED[person.language]
            self._add(
                "inquiry", inquiry_id=self._next("inquiry"), subject=subject, body=body,
                answer=answer, asked_at=self._ago(self._days(300)), **whose,
            )  # fmt: skip
        title = "서비스 점검 안내" if person.language == "ko" else "Planned maintenance"
        self._add(
            "notice_receipt", receipt_id=self._next("notice_receipt"), title=title,
            channel="email", sent_at=self._ago(self._days(200)), **whose,
        )  # fmt: skip

    def _sales(self) -> None:
        """Licences sold between members; the known ones sell to and buy from one another."""
        pairs = [(KO_MEMBER, OTHER_MEMBER), (EN_MEMBER, KO_MEMBER), (OTHER_MEMBER, EN_MEMBER)]
        pairs = [pair for pair in pairs if set(pair) <= set(self._people)]
        for _ in range(len(self._people) * 2 // 3):
            seller, buyer = self._random.sample(self._people, 2)
            pairs.append((seller, buyer))
        handles = {p["member_id"]: p["instagram_id"] for p in self._rows["profile"]}
        for seller, buyer in pairs:
            self._add(
                "content_sale",
                sale_id=self._next("content_sale"),
                content_title=self._one(seller, _TITLES),
                licence=self._random.choice(("web", "print")),
                price=self._random.randrange(5, 120) * 1000,
                sold_at=self._ago(self._days(380)),
                seller_id=seller.number,
                seller_nickname=seller.nickname,
                seller_instagram=handles[seller.number],
                buyer_id=buyer.number,
                buyer_name=buyer.name,
                buyer_email=buyer.email,
            )
