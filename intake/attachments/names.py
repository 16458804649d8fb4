"""What a file's name gives away: its ending, a second one, letters turned round, a paper's name."""

import re
import unicodedata

from subjectline.models.files import Apart

_TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# Control characters, half surrogates, what Unicode calls default ignorable, and a Braille blank; then
# what no file system takes.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_NOT_SAVED = re.compile(r'[:*?"<>|]')
_BLANK = re.compile(r"[^\S ]")
_ENDING = re.compile(r"\.([A-Za-z0-9_-]{1,24})$")
_PAPER = re.compile(
    r"신분증|주민\s?등록|주민증|민증|등본|초본|가족\s?관계|외국인\s?등록|운전\s?면허|면허증|여권|인감|건강\s?보험증"
    r"|\b(?:id|identity)[ _-]?(?:card|copy|document)|passport|driv\w{0,6}[ _-]?licen[cs]e"
    r"|resident[ _-]?(?:card|registration)",
    re.IGNORECASE,
)

_KINDS: dict[Apart, str] = {
    Apart.PROGRAM: "exe com scr pif cpl dll ocx sys drv msi msix msp mst appx appxbundle application apk aab "
    "ipa jar class deb rpm appimage run bin elf dmg pkg mpkg gadget xll xbap vxd efi so dylib "
    "whl egg-info",
    Apart.SCRIPT: "js jse mjs cjs vb vbs vbe ws wsf wsh wsc sct ps1 ps1xml ps2 psc1 psd1 psm1 msh msh1 bat "
    "cmd btm sh bash csh ksh zsh fish command py pyc pyw pyz rb pl php phtml asp aspx jsp cgi "
    "lua ahk au3 applescript scpt reg inf chm hlp hta htc msc sql ad",
    Apart.SHORTCUT: "lnk url desktop webloc scf library-ms search-ms searchconnector-ms settingcontent-ms "
    "appref-ms website rdp contact theme themepack diagcab job ins isp",
    Apart.MARKUP: "htm html xhtml xht shtml mht mhtml svg svgz xsl xslt swf",
    Apart.MACROS: "docm dotm xlsm xltm xlam xlsb pptm potm ppam ppsm sldm mde ade accde mdb accdb slk iqy "
    "oqy rqy dqy wbk wll xla xlm ppa",
    Apart.EMBEDDED: "one onepkg pub xps oxps",
    Apart.DISK_IMAGE: "iso img vhd vhdx vmdk vdi qcow2 udf nrg mdf mds cue bin-cue wim toast",
    Apart.ARCHIVE_CLOSED: "rar 7z alz egg cab arj lzh lha ace z zipx sit sitx zst lz lz4 br uue r00 r01",
}  # fmt: skip
_ENDINGS = {ending: kind for kind, endings in _KINDS.items() for ending in endings.split()}
_HARMLESS = frozenset(
    "jpg jpeg png gif bmp tif tiff webp heic pdf doc docx xls xlsx ppt pptx hwp hwpx txt rtf csv odt "
    "ods mp3 mp4 mov avi wav zip eml ics".split()
)


def plain_name(name: str) -> str:
    """`name` as it is shown, saved and judged: no folders, nothing unseen, full-width letters as plain
    ones (NFKC), no blanks or dots at either end. Empty where nothing is left.
    """
    name = unicodedata.normalize("NFKC", _UNSEEN.sub("", name))
    name = name.replace("\\", "/").rpartition("/")[2]
    return _BLANK.sub(" ", _NOT_SAVED.sub("", name)).strip(" .")


def ending_of(name: str) -> str:
    """The last ending, lower case, without its dot; empty where there is none."""
    found = _ENDING.search(plain_name(name))
    return found[1].lower() if found else ""


def by_name(name: str) -> set[Apart]:
    """What `name`, as the sender wrote it, gives reason for."""
    found = {Apart.TURNED_NAME} if _TURNS.search(name) else set()
    name = plain_name(name)
    ending = ending_of(name)
    kind = _ENDINGS.get(ending)
    if kind is None:
        return found
    stem = name[: -len(ending) - 1].rstrip(" ._")
    double = {Apart.DOUBLE_ENDING} if ending_of(stem) in _HARMLESS else set()
    return found | double | {kind}


def names_paper(text: str) -> bool:
    """Whether a name, or the words of a letter, speak of a paper that shows a resident number."""
    return bool(_PAPER.search(text[:20_000]))


def is_picture(content_type: str) -> bool:
    """Whether such a file may be a photo or a scan; what stands in it cannot be read here."""
    return content_type.startswith(("image/", "application/pdf"))
