"""Invented people of the sample company. Every address ends in .test, every number is 010-0000-…."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

_SURNAMES = (
    ("김", "kim"), ("이", "lee"), ("박", "park"), ("최", "choi"), ("정", "jung"), ("강", "kang"),
    ("조", "cho"), ("윤", "yoon"), ("장", "jang"), ("임", "lim"), ("한", "han"), ("오", "oh"),
    ("서", "seo"), ("신", "shin"), ("남궁", "namgung"), ("황", "hwang"),
)  # fmt: skip
_GIVEN = (
    ("서연", "seoyeon", "female"), ("민준", "minjun", "male"), ("지우", "jiwoo", "female"),
    ("도윤", "doyun", "male"), ("하은", "haeun", "female"), ("시우", "siwoo", "male"),
    ("수아", "sua", "female"), ("예준", "yejun", "male"), ("지안", "jian", "female"),
    ("주원", "juwon", "male"), ("다온", "daon", "female"), ("건우", "gunwoo", "male"),
    ("소율", "soyul", "female"), ("은우", "eunwoo", "male"), ("보람", "boram", "female"),
    ("한결", "hangyeol", "male"), ("솔", "sol", "female"), ("태오", "taeo", "male"),
)  # fmt: skip
_FOREIGN = (
    ("Amara Okafor", "female"), ("Lukas Brenner", "male"), ("Mei-Ling Tan", "female"),
    ("Jonas Lindqvist", "male"), ("Priya Raman", "female"), ("Tomás Herrera", "male"),
    ("Chloé Marchand", "female"), ("Oliver Pennington", "male"), ("Yuki Hayashida", "female"),
    ("Farid Nazari", "male"), ("Ingrid Solberg", "female"), ("Seán O'Malley", "male"),
    ("Nguyen Thi Lan", "female"), ("Marek Nowicki", "male"),
)  # fmt: skip
_MOODS = (
    "느린",
    "푸른",
    "고요한",
    "반짝이는",
    "다정한",
    "새벽",
    "한낮의",
    "바람결",
    "작은",
    "깊은",
)
_THINGS = ("필름", "렌즈", "골목", "파도", "창가", "오후", "산책", "별빛", "정원", "책방")
_MOODS_EN = ("slow", "blue", "quiet", "bright", "gentle", "early", "noon", "windy", "small", "deep")
_THINGS_EN = (
    "film",
    "lens",
    "alley",
    "wave",
    "window",
    "walk",
    "star",
    "garden",
    "harbour",
    "hill",
)


@dataclass(frozen=True, slots=True)
class Person:
    """One invented member. `number` is the member id and the last digits of the phone number."""

    number: int
    name: str
    gender: str
    language: str
    email: str
    nickname: str
    handle: str

    @property
    def member(self) -> str:
        """The canonical member id."""
        return str(self.number)

    @property
    def phone(self) -> str:
        """The number as the company's database writes it."""
        return f"010-0000-{self.number:04d}"


KO_MEMBER = Person(
    1001, "김하늘", "female", "ko", "haneul.kim@mail.test", "하늘필름", "haneul.film"
)
EN_MEMBER = Person(
    1002, "Dana Whitfield", "female", "en", "dana.whitfield@mail.test", "dana frames", "dana.frames"
)
OTHER_MEMBER = Person(
    1003, "박서진", "male", "ko", "seojin.park@mail.test", "서진의 오후", "seojin.afternoon"
)
KNOWN = (KO_MEMBER, EN_MEMBER, OTHER_MEMBER)


def invent(count: int, random: Random) -> Iterator[Person]:
    """The known members first, then others, `count` in all."""
    yield from KNOWN[:count]
    for number in range(KNOWN[-1].number + 1, KNOWN[0].number + count):
        foreign = random.random() < 0.22
        yield _foreign(number, random) if foreign else _korean(number, random)


def _korean(number: int, random: Random) -> Person:
    surname, roman = random.choice(_SURNAMES)
    given, spelled, gender = random.choice(_GIVEN)
    nickname = f"{random.choice(_MOODS)} {random.choice(_THINGS)} {number % 1000}"
    return Person(
        number, f"{surname}{given}", gender, "ko", f"{spelled}.{roman}{number}@mail.test",
        nickname, f"{spelled}_{roman}{number}",
    )  # fmt: skip


def _foreign(number: int, random: Random) -> Person:
    name, gender = random.choice(_FOREIGN)
    plain = "".join(letter for letter in name.lower() if "a" <= letter <= "z")
    nickname = f"{random.choice(_MOODS_EN)} {random.choice(_THINGS_EN)} {number % 1000}"
    return Person(
        number, name, gender, "en", f"{plain}{number}@mail.test", nickname, f"{plain}{number}"
    )
