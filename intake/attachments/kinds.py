"""What a file's bytes give away: programs, disk images, macros, documents that start something.

Sources: ECMA-119 (ISO 9660), MS-VHDX, MS-OVBA, MS-CFB, ISO 32000-1 12.6, RTF 1.9.1.
"""

import re

from subjectline.models.files import Apart

_BY_TYPE = {
    "application/vnd.microsoft.portable-executable": Apart.PROGRAM,
    "application/x-elf": Apart.PROGRAM,
    "application/java-vm": Apart.PROGRAM,
    "application/java-archive": Apart.PROGRAM,
    "application/vnd.android.package-archive": Apart.PROGRAM,
    "text/x-shellscript": Apart.SCRIPT,
    "application/x-ms-shortcut": Apart.SHORTCUT,
    "text/html": Apart.MARKUP,
    "application/xhtml+xml": Apart.MARKUP,
    "image/svg+xml": Apart.MARKUP,
    "application/vnd.rar": Apart.ARCHIVE_CLOSED,
    "application/x-7z-compressed": Apart.ARCHIVE_CLOSED,
    "application/x-alz": Apart.ARCHIVE_CLOSED,
    "application/x-egg": Apart.ARCHIVE_CLOSED,
    "application/vnd.ms-cab-compressed": Apart.ARCHIVE_CLOSED,
}
_STARTS = (
    (b"MZ", Apart.PROGRAM),
    (b"\x7fELF", Apart.PROGRAM),
    *((magic, Apart.PROGRAM) for magic in (b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf")),
    *((magic, Apart.PROGRAM) for magic in (b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe")),
    (b"\xca\xfe\xba\xbe", Apart.PROGRAM),
    (b"dex\n", Apart.PROGRAM),
    (b"!<arch>\ndebian", Apart.PROGRAM),
    (b"\xed\xab\xee\xdb", Apart.PROGRAM),
    (b"\x00asm", Apart.PROGRAM),
    (b"#!", Apart.SCRIPT),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", Apart.EMBEDDED),  # OneNote
    (b"ITSF", Apart.SCRIPT),  # compiled help
    (b"CWS", Apart.MARKUP),
    (b"FWS", Apart.MARKUP),
    (b"[InternetShortcut]", Apart.SHORTCUT),
    (b"[Desktop Entry]", Apart.SHORTCUT),
    (b"MSCF", Apart.ARCHIVE_CLOSED),
    (b"Rar!", Apart.ARCHIVE_CLOSED),
    (b"vhdxfile", Apart.DISK_IMAGE),
    (b"conectix", Apart.DISK_IMAGE),
    (b"KDMV", Apart.DISK_IMAGE),
    (b"QFI\xfb", Apart.DISK_IMAGE),
)
_SECTORS = (0x8001, 0x8801, 0x9001)  # volume descriptors of ISO 9660 and UDF
_VOLUMES = (b"CD001", b"BEA01", b"NSR02", b"NSR03")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Names in the directory of a compound file are padded with zeros.
_OLE_MACROS = tuple(
    name.encode("utf-16-le") + b"\x00" * 8
    for name in ("_VBA_PROJECT", "_VBA_PROJECT_CUR", "VBA", "Macros")
)
_OLE_LOCKED = "EncryptedPackage".encode("utf-16-le")
_OLE_INSTALLER = bytes.fromhex("84100c0000000000c000000000000046")
_OLE_EMBEDDED = "\x01Ole10Native".encode("utf-16-le")
_ACTIVE_PDF = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFiles?|RichMedia|XFA)\b")
_ACTIVE_RTF = re.compile(
    rb"\\(?:objdata|objupdate|objocx|objautlink)|\\\*\\template", re.IGNORECASE
)
_ACTIVE_XML = re.compile(
    rb"<(?:\?xml-stylesheet|html|script|svg)|www\.w3\.org/1999/xhtml", re.IGNORECASE
)
_LOOK = 2 * 1024 * 1024


def by_content(content: bytes, content_type: str) -> set[Apart]:
    """What the bytes and the type found by them give reason for; archives are `archives`' business."""
    found = {_BY_TYPE[content_type]} if content_type in _BY_TYPE else set()
    found |= {kind for magic, kind in _STARTS if content.startswith(magic)}
    if _disk(content):
        found.add(Apart.DISK_IMAGE)
    if content.startswith(_OLE):
        found |= _compound(content)
    start = content[:_LOOK]
    if start.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(b"%PDF") or b"%PDF-" in start[:1024]:
        found |= {Apart.EMBEDDED} if _ACTIVE_PDF.search(content) else set()
    elif start.startswith(b"{\\rt"):
        found |= {Apart.EMBEDDED} if _ACTIVE_RTF.search(content) else set()
    elif content_type.endswith("xml") and "openxml" not in content_type:
        found |= {Apart.MARKUP} if _ACTIVE_XML.search(start) else set()
    return found


def _disk(content: bytes) -> bool:
    volume = any(content[at : at + 5] in _VOLUMES for at in _SECTORS)
    return volume or content[-512:-504] == b"conectix" or content[-512:-508] == b"koly"


def _compound(content: bytes) -> set[Apart]:
    """A compound file: old Office, HWP, an installer, or an encrypted new Office."""
    found = set()
    if any(name in content for name in _OLE_MACROS):
        found.add(Apart.MACROS)
    if _OLE_LOCKED in content:
        found.add(Apart.ARCHIVE_ENCRYPTED)
    if _OLE_EMBEDDED in content:
        found.add(Apart.EMBEDDED)
    if _OLE_INSTALLER in content:
        found.add(Apart.PROGRAM)
    return found
