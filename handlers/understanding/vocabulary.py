"""The words for the fields of a data map, compiled once into one pattern."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from subjectline.handlers.understanding.sieve import ready
from subjectline.handlers.understanding.trie import compile_words

# Longer words that hold a field's word but mean something that no member can correct. They are
# matched first and swallowed.
DECOYS = (
    "주문번호", "주문 번호", "송장번호", "송장 번호", "운송장번호", "인증번호", "인증 번호", "비밀번호",
    "비밀 번호", "비번", "우편번호",
    "회원번호", "회원 번호", "예약번호", "예약 번호", "주민번호", "주민등록번호", "카드번호", "카드 번호",
    "접수번호", "접수 번호",
    "홈페이지 주소", "사이트 주소", "링크 주소", "상품 이름", "상품이름", "작품 이름", "파일 이름",
    "회사 이름", "회사 주소",
    "회사 전화번호", "고객센터 번호", "고객센터 전화번호", "고객센터 이메일", "대표번호", "대표 번호",
    "선호하는", "카드 정보", "카드정보", "결제 정보", "결제정보", "이름표", "주소록", "주소창",
    "생일 쿠폰", "생일쿠폰", "생일 선물", "연락처 공유", "ip 주소", "url 주소",
    "order number", "tracking number", "reference number", "request number", "ticket number", "card number",
    "confirmation number", "verification number", "member number", "membership number",
    "user name and password", "ip address", "web address",
    "website address", "company name", "company address", "product name", "file name", "account password",
    "emails from", "marketing email", "marketing emails", "promotional email", "promotional emails",
    "email list", "email marketing", "mailing list", "phone calls", "phone call", "in the name of",
    "shop name",
    "이메일 광고", "광고 이메일", "광고 메일", "마케팅 메일", "마케팅 이메일", "이메일 마케팅",
    "이메일 수신", "메일 수신",
)  # fmt: skip

# Spellings that the labels of a data map never have.
_VARIANTS = {
    "address": ("adress", "addres", "addess", "adresss", "addr", "adrress"),
    "email": ("e-mail", "emial", "e mail", "mail id", "emil", "eamil"),
    "phone": ("fone", "phne", "phone no", "phone #"),
    "account": ("acount", "accout", "acct"),
    "이메일": ("메일주소", "메일 주소", "e메일", "이멜", "이매일"),
    "instagram": ("insta", "instragram", "ig"),
    "인스타그램": ("인스타", "인별"),
    "facebook": ("fb",),
    "kakao": ("kakaotalk", "kakao talk"),
    "카카오톡": ("카톡", "카카오", "까톡"),
    "페이스북": ("페북",),
    "닉네임": ("닉넴", "닉내임", "닉"),
    "아이디": ("id", "계정", "아이뒤"),
    "interests": ("interest",),
    " id": (" handle", " username", " user name"),
    "계좌": ("통장",),
    "취향": ("취향 정보", "추천 취향"),
}  # fmt: skip
# What people say for a field of a shape that only one field has.
_SPOKEN = {
    "phone": ("번호", "전번", "폰번", "폰번호", "핸펀", "핸폰", "연락처", "my number", "new number",
    "wrong number", "old number", "mobile", "cell", "cell number"),
    "email": ("이멜", "메일", "mail address"),
    "date": ("생일", "생년월일", "생월일", "dob", "birthday", "birth date", "date of birth", "birth day",
    "bday"),
    "address": ("주소", "배송지", "받는 곳", "받는곳", "배송받는 곳", "거주지", "주소지",
    "shipping details", "delivery details", "shipping info", "delivery info"),
    "bank": ("은행", "거래은행"),
    "account": ("계좌", "통장", "정산 계좌", "bank details", "bank account", "payout account",
    "payout details"),
    "nick": ("닉네임", "별명", "닉넴", "닉", "nickname"),
    "gender": ("성별", "gender"),
}  # fmt: skip

# The first row that fits a field's name or words says which form its values have.
_SHAPES = (
    ("account", r"account_?number|계좌\s?번호|account number"),
    ("bank", r"bank_?name|은행명|은행 이름|bank name"),
    ("name", r"holder|예금주"),
    ("email", r"e-?mail|이메일"),
    ("phone", r"phone|mobile|전화|휴대폰|핸드폰"),
    ("date", r"birth|생년월일|생일"),
    ("handle", r"_id\b|\bid\b|handle|아이디"),
    ("nick", r"nick|닉네임|별명"),
    ("gender", r"gender|\bsex\b|성별"),
    ("address", r"address|주소|배송지"),
    ("name", r"name|이름|성명|성함"),
)


_BREAKS = {ord(c): None for c in " \t\n\r\f\v-_"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A field's word in a text: the field's name, and where the word stands."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Field name -> the words for it in both languages, as the data map has them.

    `shapes` says what a field's values look like where its name does not: one of phone, email,
    date, account, bank, address, handle, name, nick, gender, text.
    """

    fields: Mapping[str, tuple[str, ...]]
    shapes: Mapping[str, str] = field(default_factory=dict)
    _pattern: re.Pattern[str] = field(init=False, repr=False)
    _names: Mapping[str, str] = field(init=False, repr=False)
    _shape: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shapes = {name: _shape_of(name, words) for name, words in self.fields.items()}
        shapes |= dict(self.shapes)
        names = {_key(decoy): "" for decoy in DECOYS}
        for name, words in self.fields.items():
            for word in words:
                names.setdefault(_key(word), name)
        for name, words in self.fields.items():
            for spelling in (s for word in words for s in _spellings(word)):
                names.setdefault(_key(spelling), name)
        for word, name in _spoken(shapes):
            names.setdefault(_key(word), name)
        set_ = object.__setattr__
        set_(self, "_names", {key: name for key, name in names.items() if key})
        set_(self, "_pattern", compile_words(self._names))
        set_(self, "_shape", shapes)
        ready()  # with the desk's vocabulary at its start, not with its first message

    def shape(self, name: str) -> str:
        return self._shape[name]

    def find(self, text: str) -> list[Hit]:
        """Every field named in the text, in order; the longest word wins."""
        low = text.lower()
        if len(low) != len(text):  # a letter whose lower case is longer (\u0130)
            low = text
        found = self._pattern.finditer(low)
        hits = (Hit(self._names.get(_key(m[0]), ""), m.start(), m.end()) for m in found)
        return [hit for hit in hits if hit.name]


def _key(word: str) -> str:
    return word.translate(_BREAKS).lower()


def _spellings(word: str) -> list[str]:
    low = word.lower()
    return [low.replace(k, v) for k, vs in _VARIANTS.items() if k in low for v in vs]


def _spoken(shapes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for shape, words in _SPOKEN.items():
        names = [name for name, own in shapes.items() if own == shape]
        if len(names) == 1:
            yield from ((word, names[0]) for word in words)


def _shape_of(name: str, words: tuple[str, ...]) -> str:
    text = f"{name} {' '.join(words)}".lower()
    by_name = (shape for shape, pattern in _SHAPES if re.search(pattern, name.lower()))
    by_words = (shape for shape, pattern in _SHAPES if re.search(pattern, text))
    return next(by_name, "") or next(by_words, "text")


_SAMPLE: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "full name", "legal name", "surname", "last name", "first name", "family name",
    "이름", "성함", "성명", "실명"),
    "birth_date": ("birth date", "birthdate", "date of birth", "birthday", "dob", "생년월일", "생일",
    "출생일", "생년"),
    "phone": ("phone number", "phone", "telephone", "telephone number", "mobile", "mobile number",
    "mobile phone", "mobile phone number", "cell",
              "cell phone", "cell number", "cell phone number", "contact number", "my number",
              "new number", "전화번호", "전화", "휴대폰", "휴대폰 번호",
              "휴대전화", "휴대전화 번호", "핸드폰", "핸드폰 번호", "핸드폰번호", "폰번호", "폰 번호",
              "연락처", "번호", "손전화", "핸폰", "핸폰번호"),
    "gender": ("gender", "sex", "성별"),
    "email": ("email", "email address", "mail address", "이메일", "이메일 주소", "전자우편", "메일 주소",
    "메일", "메일계정"),
    "preferences": ("preferences", "preference", "interests", "선호", "취향", "관심사", "관심 분야",
    "선호도", "선호 정보", "선호 분야", "선호하는 분야", "관심사항"),
    "activity_area": ("activity area", "area of activity", "활동 지역", "활동지역", "활동지", "활동 구역"),
    "shipping_address": ("shipping address", "delivery address", "address", "home address",
    "mailing address", "postal address",
                         "배송지", "배송 주소", "배송지 주소", "주소", "집 주소", "주소지", "받는 주소",
                         "배송받는 주소", "거주지", "받는곳"),
    "kakao_id": ("kakao id", "kakao", "kakaotalk id", "카카오 아이디", "카카오톡 아이디", "카톡 아이디",
    "카카오톡 id", "카카오 id", "카톡 id",
                 "카카오톡 계정", "카카오 계정", "카톡 계정"),
    "instagram_id": ("instagram id", "instagram", "instagram handle", "instagram username",
    "instagram account", "insta id", "인스타그램 아이디", "인스타 아이디",
                     "인스타그램 id", "인스타 id", "인스타그램 계정", "인스타 계정", "인스타그램", "인스타"),
    "facebook_id": ("facebook id", "facebook", "facebook username", "facebook account", "fb id",
    "페이스북 아이디", "페북 아이디", "페이스북 id", "페북 id",
                    "페이스북 계정", "페북 계정", "페이스북"),
    "nickname": ("nickname", "nick name", "display name", "screen name", "username", "user name",
    "닉네임", "별명", "닉", "활동명", "필명"),
    "bank_name": ("bank name", "bank", "은행명", "은행 이름", "거래 은행", "은행"),
    "account_number": ("account number", "bank account number", "bank account", "account no",
    "payout account", "settlement account", "bank details",
                       "계좌번호", "계좌 번호", "계좌", "정산 계좌", "정산계좌", "입금 계좌", "환불 계좌",
                       "통장", "통장 번호", "계좌 정보"),
    "account_holder": ("account holder", "account holder name", "account holder's name",
    "holder of the account", "예금주", "예금주명", "예금주 이름", "계좌주", "통장 명의"),
}  # fmt: skip


@lru_cache(maxsize=1)
def default_vocabulary() -> Vocabulary:
    """The fields of the sample company, for the sandbox, the benchmark and tests."""
    return Vocabulary(_SAMPLE)
