"""What a file is, by its first bytes; the sender's word counts only where they say nothing."""

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-elf"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"BZh", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"{\\rtf", "application/rtf"),
    (b"HWP Document File V", "application/x-hwp"),
    (b"ALZ\x01", "application/x-alz"),
    (b"EGGA", "application/x-egg"),
    (b"x\x9f>\x22", "application/ms-tnef"),
    (b"#!", "text/x-shellscript"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut"),
)
_BRANDS = {
    b"heic": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
}
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ZIPPED = (
    (b"word/", f"{_OFFICE}wordprocessingml.document"),
    (b"xl/", f"{_OFFICE}spreadsheetml.sheet"),
    (b"ppt/", f"{_OFFICE}presentationml.presentation"),
    (b"Contents/content.hpf", "application/hwp+zip"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
    (b"AndroidManifest.xml", "application/vnd.android.package-archive"),
)
_OLE = (
    (b"HwpSummaryInformation".decode().encode("utf-16-le"), "application/x-hwp"),
    ("WordDocument".encode("utf-16-le"), "application/msword"),
    ("Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
    ("PowerPoint Document".encode("utf-16-le"), "application/vnd.ms-powerpoint"),
    ("__properties_version1".encode("utf-16-le"), "application/vnd.ms-outlook"),
)
_LOOK = 100_000  # bytes from each end in which names inside a container are looked for
_MARKUP = (b"<!doctype html", b"<html", b"<svg", b"<script", b"<?xml")
_MARKED = ("text/html", "text/html", "image/svg+xml", "text/html", "application/xml")


def kind_of(content: bytes, declared: str) -> str:
    """The media type of `content`, by its bytes; `declared` where they are of no known form."""
    if content.startswith(b"PK\x03\x04"):
        return _zipped(content, declared)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _within(content, _OLE) or "application/x-ole-storage"
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "video/mp4")
    if content.startswith(b"RIFF"):
        return _RIFF.get(content[8:12], declared)
    known = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")
    return known or _markup(content) or declared


def _zipped(content: bytes, declared: str) -> str:
    if content[30:38] == b"mimetype":  # OpenDocument and EPUB say it themselves
        size = int.from_bytes(content[18:22], "little")
        said = content[38 : 38 + min(size, 80)]
        return said.decode("ascii", "replace").strip() or declared
    return _within(content, _ZIPPED) or "application/zip"


def _within(content: bytes, names: tuple[tuple[bytes, str], ...]) -> str:
    ends = content[:_LOOK] + content[-_LOOK:]
    return next((kind for name, kind in names if name in ends), "")


def _markup(content: bytes) -> str:
    start = content[:400].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    pairs = zip(_MARKUP, _MARKED, strict=True)
    kind = next((kind for mark, kind in pairs if start.startswith(mark)), "")
    return (
        "image/svg+xml" if kind == "application/xml" and b"<svg" in content[:2000].lower() else kind
    )
