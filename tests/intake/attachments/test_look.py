"""Each reason to keep a file apart, and the ordinary files that have none."""

import bz2
import gzip
import io
import tarfile
import zipfile
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spent import spent

from subjectline.intake.attachments import look
from subjectline.intake.attachments.names import by_name, plain_name
from subjectline.intake.mailparse.body import read_body
from subjectline.intake.mailparse.kinds import kind_of
from subjectline.intake.mailparse.mime import read
from subjectline.models.files import Apart

NUMBER = "900101-2345678"
EICAR = b"MZ\x90\x00 not a program"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def zipped(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return out.getvalue()


def locked(*names: str) -> bytes:
    """A ZIP whose entries say that they are encrypted."""
    plain = bytearray(zipped(*((name, b"x") for name in names)))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = plain.find(mark)
        while at >= 0:
            plain[at + place] |= 1
            at = plain.find(mark, at + 1)
    return bytes(plain)


def tarred(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        made.addfile(info, io.BytesIO(content))
    return out.getvalue()


def docx(words: str, *more: tuple[str, bytes]) -> bytes:
    return zipped(("word/document.xml", f"<w:p><w:t>{words}</w:t></w:p>".encode()), *more)


def pdf(shown: bytes) -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Filter/FlateDecode>>stream\n" + zlib.compress(shown) + b"\nendstream"
    )


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def reasons(name: str, content: bytes, declared: str = "application/octet-stream") -> list[str]:
    return [one.value for one in look(name, kind_of(content, declared), content)]


APART = {
    "a program": ("a.exe", EICAR, ["program"]),
    "a program under a harmless name": ("photo.jpg", EICAR, ["program"]),
    "ELF": ("x", b"\x7fELF\x02", ["program"]),
    "Mach-O": ("x", b"\xcf\xfa\xed\xfe...", ["program"]),
    "an app": ("a.apk", zipped(("AndroidManifest.xml", b"")), ["program"]),
    "an installer": ("a.msi", OLE + b"...", ["program"]),
    "two endings": ("photo.jpg.exe", EICAR, ["double_ending", "program"]),
    "two endings with blanks": ("계약서.pdf      .scr", b"x", ["double_ending", "program"]),
    "an ending and a dot": ("a.exe. ", b"x", ["program"]),
    "turned name": ("cod\u202egpj.exe", b"x", ["turned_name", "program"]),
    "turned to look like a picture": ("photo\u202egnp.jpg", b"\xff\xd8\xff", ["turned_name"]),
    "script by name": ("a.vbs", b"x", ["script"]),
    "script by content": ("a.txt", b"#!/bin/sh\n", ["script"]),
    "shortcut": ("a.lnk", b"L\x00\x00\x00\x01\x14\x02\x00", ["shortcut"]),
    "web shortcut": ("a.txt", b"[InternetShortcut]\nURL=x", ["shortcut"]),
    "HTML": ("a.html", b"<p>x", ["markup"]),
    "HTML under another name": ("a.txt", b"<!DOCTYPE html><p>x", ["markup"]),
    "SVG": ("a.svg", b"<svg onload='x'/>", ["markup"]),
    "SVG as XML": ("a.xml", b"<?xml version='1.0'?><svg/>", ["markup"]),
    "XML with a style sheet": ("a.xml", b"<?xml version='1.0'?><?xml-stylesheet href='x'?><a/>", ["markup"]),
    "macros in new Office": ("a.docx", docx("x", ("word/vbaProject.bin", b"x")), ["macros"]),
    "macros by name": ("a.xlsm", zipped(("xl/workbook.xml", b"")), ["macros"]),
    "macros in old Office": ("a.doc", OLE + wide("_VBA_PROJECT") + b"\x00" * 20, ["macros"]),
    "locked Office": ("a.docx", OLE + wide("EncryptedPackage"), ["archive_encrypted"]),
    "an object in a document": ("a.docx", docx("x", ("word/embeddings/o.bin", b"x")), ["embedded"]),
    "a template from elsewhere": (
        "a.docx",
        docx("x", ("word/_rels/s.rels", b'Type=".../attachedTemplate" TargetMode="External"')),
        ["embedded"],
    ),
    "RTF with an object": ("a.rtf", b"{\\rtf1{\\object\\objdata 01}}", ["embedded"]),
    "PDF that starts something": ("a.pdf", b"%PDF-1.4 /OpenAction<</S/Launch>>", ["embedded"]),
    "OneNote": ("a.one", b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", ["embedded"]),
    "ISO": ("a.bin2", b"\x00" * 0x8001 + b"CD001", ["disk_image"]),
    "VHD": ("a.dat", b"conectix", ["disk_image"]),
    "disk image by name": ("a.iso", b"x", ["disk_image"]),
    "program in an archive": ("a.zip", zipped(("b/a.exe", EICAR)), ["inside"]),
    "program two archives deep": ("a.zip", zipped(("b.zip", zipped(("a.scr", b"x")))), ["inside"]),
    "archives without end": (
        "a.zip",
        zipped(("b.zip", zipped(("c.zip", zipped(("d.zip", zipped(("e.txt", b"x")))))))),
        ["archive_too_much"],
    ),
    "program in a tar": ("a.tar", tarred("a.bat", b"x"), ["inside"]),
    "program in gzip": ("a.exe.gz", gzip.compress(EICAR), ["inside"]),
    "program in bzip2": ("a.bz2", bz2.compress(EICAR), ["inside"]),
    "locked archive": ("a.zip", locked("a.txt"), ["archive_encrypted"]),
    "locked archive with a program": ("a.zip", locked("a.exe"), ["archive_encrypted", "inside"]),
    "a closed kind of archive": ("a.7z", b"7z\xbc\xaf\x27\x1c", ["archive_closed"]),
    "ALZip": ("a.alz", b"ALZ\x01", ["archive_closed"]),
    "a bomb": ("a.zip", zipped(("a.txt", b"0" * 45_000_000)), ["archive_too_much"]),
    "broken archive": ("a.zip", b"PK\x03\x04 broken", ["archive_closed"]),
    "a number in a text": ("a.txt", f"번호 {NUMBER}".encode(), ["resident_number"]),
    "in cp949": ("a.txt", f"주민번호 {NUMBER} 입니다".encode("cp949"), ["resident_number"]),
    "in UTF-16": ("a.csv", b"\xff\xfe" + wide(f"이름,{NUMBER}"), ["resident_number"]),
    "in JSON": ("a.json", b'{"rrn": "9001012345678"}', ["resident_number"]),
    "in XML": ("a.xml", f"<a><b>{NUMBER}</b></a>".encode(), ["resident_number"]),
    "in HTML cells": ("a.html", b"<td>900101</td><td>2345678</td>", ["resident_number", "markup"]),
    "in RTF": ("a.rtf", b"{\\rtf1 900101\\b -2345678}", ["resident_number"]),
    "in docx, cut by runs": (
        "a.docx",
        docx("900101</w:t></w:r><w:r><w:t>-2345678"),
        ["resident_number"],
    ),
    "in xlsx": (
        "a.xlsx",
        zipped(("xl/worksheets/sheet1.xml", b"<c><v>9001012345678</v></c>")),
        ["resident_number"],
    ),
    "in hwpx": (
        "a.hwpx",
        zipped(("Contents/content.hpf", b""), ("Contents/section0.xml", f"<hp:t>{NUMBER}</hp:t>".encode())),
        ["resident_number"],
    ),
    "in HWP's preview": ("a.hwp", OLE + wide("HwpSummaryInformation") + wide(NUMBER), ["resident_number"]),
    "in PDF": ("a.pdf", pdf(b"BT (9001) Tj ET BT [(01)-3(-23)] TJ ET").replace(b"x", b"x"), []),
    "in PDF, one string": ("a.pdf", pdf(b"BT (900101-2345678) Tj ET"), ["resident_number"]),
    "in PDF, kerned": ("a.pdf", pdf(b"BT [(90)1(0101-)-2(2345678)] TJ ET"), ["resident_number"]),
    "in an archive": ("a.zip", zipped(("a.txt", NUMBER.encode())), ["resident_number"]),
    "in a name inside": ("a.zip", zipped((f"{NUMBER}.txt", b"x")), ["resident_number"]),
    "in an attached mail": ("a.eml", f"Subject: {NUMBER}\n\nx".encode(), ["resident_number"]),
    "a paper by its name": ("신분증 사본.jpg", b"\xff\xd8\xff", ["may_show"]),
    "another paper": ("passport.pdf", b"%PDF-1.4", ["may_show"]),
}  # fmt: skip
ORDINARY = {
    "picture": ("photo.jpg", b"\xff\xd8\xff\xe0"),
    "two dots": ("photo.2024.05.12.jpg", b"\xff\xd8\xff"),
    "PDF": ("a.pdf", b"%PDF-1.4 plain"),
    "PDF with words": ("a.pdf", pdf(b"BT (240512 1234567) Tj ET BT (won) Tj ET")),
    "text": ("a.txt", "주문번호 240512-1234567, 010-0000-1234".encode()),
    "table": ("a.csv", "일자,금액\n240512,1234567\n2024-05-12,3500000\n".encode()),
    "docx": ("a.docx", docx("배송지를 바꿔 주세요")),
    "xlsx": (
        "a.xlsx",
        zipped(("xl/worksheets/sheet1.xml", b"<row><c><v>240512</v></c><c><v>1234567</v></c></row>")),
    ),
    "hwp": ("a.hwp", OLE + wide("HwpSummaryInformation")),
    "doc": ("a.doc", OLE + wide("WordDocument")),
    "archive": ("a.zip", zipped(("a.jpg", b"\xff\xd8\xff"), ("b.txt", b"words"))),
    "calendar": ("a.ics", b"BEGIN:VCALENDAR\nEND:VCALENDAR"),
    "mail": ("a.eml", b"Subject: x\n\nwords"),
    "RTF": ("a.rtf", b"{\\rtf1 words}"),
    "XML": ("a.xml", b"<?xml version='1.0'?><a/>"),
    "no ending": ("readme", b"words"),
    "empty": ("a.txt", b""),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "found"), APART.values(), ids=APART)
def test_reasons(name: str, content: bytes, found: list[str]) -> None:
    assert reasons(name, content) == found


@pytest.mark.parametrize(("name", "content"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_files_have_none(name: str, content: bytes) -> None:
    assert reasons(name, content) == []


HIDDEN = {
    "x.exe\u200b": "x.exe", "x.ex\u200be": "x.exe", "x.scr\u200b": "x.scr", "x.js\ufeff": "x.js",
    "x.exe\u3164": "x.exe", "x.exe\uffa0": "x.exe", "x.vbs\u00ad": "x.vbs", "x.\uff45\uff58\uff45": "x.exe",
    "x\uff0eexe": "x.exe", "x.exe. . \u00a0.": "x.exe", "x.exe\u3000": "x.exe", "x.exe:": "x.exe",
    "x.exe\ufe0f": "x.exe", "x.e\U000e0065xe": "x.exe", "x.exe\u2800": "x.exe", 'x.exe"': "x.exe",
    "a.txt\uff0fx.exe": "x.exe", "a\\x.bat\u2060": "x.bat", "x.settingcontent-ms": "x.settingcontent-ms",
    "x.searchconnector-ms": "x.searchconnector-ms", "x.\u200b\u200eexe": "x.exe", "x.exe\x00": "x.exe",
}  # fmt: skip


@pytest.mark.parametrize(("name", "plain"), HIDDEN.items())
def test_no_unseen_character_hides_an_ending(name: str, plain: str) -> None:
    assert plain_name(name) == plain
    assert set(look(name, "text/plain", b"x")) & {Apart.PROGRAM, Apart.SCRIPT, Apart.SHORTCUT}
    assert reasons("a.zip", zipped((name.replace("\x00", ""), b"x"))) == ["inside"]


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_judged_is_what_is_saved(name: str) -> None:
    raw = (
        b"From: a@member.test\nContent-Type: application/octet-stream\n"
        b"Content-Disposition: attachment; filename*=utf-8''" + quote(name).encode() + b"\n\nx\n"
    )
    [file] = read_body(read(raw)).files
    assert file.name == HIDDEN[name].rpartition("/")[2] and file.apart


@given(st.text(max_size=40))
def test_a_plain_name_stays_as_it_is(name: str) -> None:
    plain = plain_name(name)
    assert plain_name(plain) == plain and by_name(plain) <= by_name(name)


@given(
    st.binary(max_size=2000),
    st.sampled_from(["", "PK\x03\x04", "%PDF-", "\x1f\x8b", "<?xml", "{\\rtf"]),
)
def test_no_bytes_raise(content: bytes, start: str) -> None:
    whole = start.encode("latin-1") + content
    assert set(look("a.bin", kind_of(whole, ""), whole)) <= set(Apart)


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-" + b"stream\n" * 300_000,
        b"%PDF-stream\n[" + b"(" * 2_000_000,
        b"%PDF-stream\nTj" + b"[(a)" * 500_000,
        b"{\\rtf" + b"{" * 2_000_000,
        b"<p" * 1_000_000,
        b"9" * 2_000_000,
        OLE + b"9\x00" * 1_000_000,
    ],
    ids=range(7),
)
def test_hostile_files_take_linear_time(content: bytes) -> None:
    assert spent(lambda: look("a.txt", kind_of(content, ""), content), 8) < 8


def pdf_of_small_words(streams: int) -> bytes:
    """0.6 MB that show forty million letters, each for itself."""
    packed = zlib.compress(b"(a)Tj" * 20_000)
    one = b"<</Filter/FlateDecode>>stream\n" + packed + b"\nendstream\n"
    return b"%PDF-1.4\n" + one * streams


def test_a_small_pdf_does_not_hold_up_the_desk() -> None:
    content = pdf_of_small_words(400)
    assert Apart.ARCHIVE_TOO_MUCH in look("a.pdf", "application/pdf", content)
    assert spent(lambda: look("a.pdf", "application/pdf", content), 5) < 5


def test_many_files_share_what_a_mail_may_cost() -> None:
    digits = b"9 - " * 400_000
    part = (
        b"--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\n" + digits
    )
    head = b"From: a@member.test\nContent-Type: multipart/mixed; boundary=b\n\n"
    body = read_body(read(head + b"\n".join([part] * 6) + b"\n--b--\n"))
    too_much = [Apart.ARCHIVE_TOO_MUCH in one.apart for one in body.files]
    assert too_much == [False, False, True, True, True, True]
