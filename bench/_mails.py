"""The mails of the mail door's benchmark: invented, and the same for each seed.

Half plain of 1 to 3 kB, a quarter HTML or multipart of 5 to 20 kB, a quarter with attachments of 2 to
50 kB; a third Korean; half of them ask for something.
"""

from base64 import encodebytes
from collections.abc import Iterator
from email.header import Header
from random import Random

SERVER = "border.test"
DESK = "privacy@moment-pick.test"

_WISHES = {
    "ko": (
        "제 배송지를 부산시 수영구 파도로 {n}, 3층으로 바꿔 주세요.",
        "회사가 보관하는 제 개인정보를 열람하고 싶습니다.",
        "광고 메일 수신 동의를 철회합니다.",
        "회원 탈퇴하겠습니다.",
    ),
    "en": (
        "Please change my shipping address to {n} Harbour Lane, Busan.",
        "Please send me a copy of all personal data you hold about me.",
        "I withdraw my consent to marketing mail.",
        "I want to close my account.",
    ),
}
_OTHER = {
    "ko": ("정산은 언제 되나요?", "사진 업로드가 잘 되지 않습니다. 화면이 멈춥니다."),
    "en": ("When is the payout this month?", "The upload page stops at half and shows nothing."),
}
_FILLER = {
    "ko": "지난주에 올린 사진은 바닷가에서 찍었고 날씨가 무척 좋았습니다. ",
    "en": "The pictures of last week were taken at the sea and the weather was very good. ",
}


REGULARS, MOST = 400, 12  # people who write again and again, and how often within an hour at most


def mails(count: int, seed: int = 7) -> Iterator[bytes]:
    """`count` mails: half of them from 400 people who write several times, half from one each.

    No sender has more than `MOST`, however many mails there are: the twenty-first of an hour is held.
    """
    random, chance = Random(seed), Random(seed + 1)
    turn, regulars = 0, max(REGULARS, -(-count // MOST))
    for number in range(count):
        again = chance.random() < 0.5
        yield _mail(number, f"regular{turn % regulars}" if again else f"person{number}", random)
        turn += again


def _mail(number: int, name: str, random: Random) -> bytes:
    language = "ko" if number % 3 == 0 else "en"
    words = random.choice(_WISHES[language] if number % 2 else _OTHER[language]).format(n=number)
    shape = ("plain", "plain", "html", "file")[number // 2 % 4]
    body = _BODIES[shape](words, language, random)
    sender = f"{name}@mail{len(name) % 4}{name[-1]}.test"
    head = [
        f"Return-Path: <{sender}>",
        f"Authentication-Results: {SERVER}; dmarc=pass header.from={sender.partition('@')[2]}",
        f"Received: from mx.test by {SERVER} with ESMTPS id {number:08x}; Mon, 23 Nov 2026 01:00:00 +0000",
        f"From: {Header('보내는 이' if language == 'ko' else 'A Sender', 'utf-8').encode()} <{sender}>",
        f"To: {DESK}",
        f"Subject: {Header('개인정보 요청' if language == 'ko' else 'My data', 'utf-8').encode()}",
        f"Message-ID: <{number:x}.{random.getrandbits(60):x}@mail.test>",
        "Date: Mon, 23 Nov 2026 01:00:00 +0000",
        "MIME-Version: 1.0",
    ]
    return "\r\n".join(head).encode() + b"\r\n" + body


def _long(words: str, language: str, size: int) -> str:
    filler = _FILLER[language]
    lines = [filler] * (size // len(filler.encode()))
    return f"{words}\n\n" + "\n".join(lines) + "\n"


def _part(kind: str, text: str) -> bytes:
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    return head.encode() + encodebytes(text.encode()).replace(b"\n", b"\r\n")


def _plain(words: str, language: str, random: Random) -> bytes:
    return _part("plain", _long(words, language, random.randrange(500, 2000)))


def _html(words: str, language: str, random: Random) -> bytes:
    text = _long(words, language, random.randrange(2000, 7000))
    page = "".join(f"<p>{line}</p>" for line in text.split("\n") if line)
    return _many(_part("plain", text), _part("html", f"<html><body>{page}</body></html>"))


def _file(words: str, language: str, random: Random) -> bytes:
    content = random.randbytes(random.randrange(1500, 36_000))
    file = (
        b'Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename="photo.jpg"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + encodebytes(content).replace(b"\n", b"\r\n")
    )
    return _many(_part("plain", _long(words, language, 300)), file, kind="mixed")


def _many(*parts: bytes, kind: str = "alternative") -> bytes:
    head = f'Content-Type: multipart/{kind}; boundary="=_bench"\r\n\r\n'.encode()
    return head + b"".join(b"--=_bench\r\n" + part + b"\r\n" for part in parts) + b"--=_bench--\r\n"


_BODIES = {"plain": _plain, "html": _html, "file": _file}
