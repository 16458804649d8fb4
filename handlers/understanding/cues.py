"""Words that say what the value beside them is: the new one, or the old one.

English says it before the value ("should be …", "not …"), Korean behind it ("…에서", "…로 변경").
"""

import re

_ADV = r"(?:actually |really |now |instead |in fact |correctly |simply |just )*"
_SAID = (
    r"(?:listed|registered|recorded|spell?ed|spelt|entered|saved|written|stored|set|typed|shown"
    r"|displayed|put|noted|filed"
    r"|marked|kept|given)"
)
# In the order of the table: where several start at one place, the first wins.
_EN = re.compile(
    r"(?P<stop>[;)\n]|\((?!(?:not|instead|it|formerly|previously|old|was|currently)\b)"
    r"|(?<!\b[A-Z])(?<!\b[Ss]t)(?<!\b[RrDd]d)(?<!\bApt)(?<!\bAve)(?<!\bNo)(?<!\bBlvd)(?<!\bBldg)[.!?](?=\s"
    r"|$)|,? (?:from now on|going forward|from (?:next|this|today)\b|these days|if (?:possible|you)"
    r"|at the moment|any ?more\b|as soon as|right away|asap\b|please\b|pls\b|plz\b|because\b|since\b|thanks\b"
    r"|thank you|thx\b|cheers\b|which\b"
    r"|when\b|while\b|so (?:that\b|please\b|i\b|can\b|could\b)|for me\b|everywhere\b|in (?:my|your"
    r"|the)\b|on (?:my|your|the)\b"
    r"|and (?:please|my|also|the|i\b|i'|then|stop|delete|remove|erase|change|update|send|let|can|could|no)\b"
    r"|now(?= not\b|[.!]|$)|but(?= (?:i|my|please|the|you|leave|keep)\b)|y'?all\b|ok\?|okay\?)"
    r"|(?<!\d), (?:the|my|it\b(?!'?s|\s(?:is|should))|i\b|i'|could|can|and|would|thx|ty|you|that"
    r"|this|delete|remove|erase|stop|send)\b)"
    r"|(?P<new>(?:,? (?:and|but|when|though|however|whereas|yet))?(?: (?:it|that|this|they|mine"
    rf"|the correct \w+|my \w+))? ?{_ADV}"
    r"(?:should|ought to|must|needs? to|has to|(?:is |was )?supposed to"
    rf"|meant to) {_ADV}(?:have been|be|read|say|show)\b"
    r"(?: (?:changed|corrected|updated|set|spell?ed|spelt|written))?(?: (?:to|as)\b)?"
    rf"|\b(?:it'?s|it is|that'?s|is|are) (?:actually |really |now |in fact |correctly |spell?ed |properly )+"
    r"|->|=>|→|\b(?:new|correct|right|actual|real|proper|updated)(?: (?:one|value|name|address|id"
    r"|handle|spelling|version|number|date|account))?"
    r"(?: (?:is|should be)\b|\s?[:=]| -)|\b(?:changing|changed|change|updating|updated|switched"
    r"|moved|corrected) (?:it )?to\b"
    r"|\b(?:make|set|call) (?:it|that|this|me)(?: to| as)?\b|\bto (?:be|read|say)\b|\binto\b"
    r"|(?<!used )(?<!like )(?<!want )(?<!need )\bto\b|\bwith\b|\bas\b(?! (?:it|soon|you|a result"
    r"|is)\b)"
    r"|(?<=[,.:;] )(?:it'?s|it is|its)\b|(?<=\bbut )(?:it'?s|it is|its)\b)"
    r"|(?P<old>\bfrom\b|,? ?(?:and |but )?\bnot\b|\b(?:isn'?t|is not|aren'?t|wasn'?t)\b"
    r"|\binstead of\b|\brather than\b|\bin place of\b"
    r"|(?:\b(?:it|that|which|profile|you|system|still|currently|wrongly)\b ?)*\b(?:says|reads|shows"
    r"|lists|displays|had|have it|has it|appears)"
    r"(?: up)?(?: as| it as)?(?! been| changed)\b"
    r"|(?:\b(?:is|was|are|were|been|being|got|currently|incorrectly|wrongly|mistakenly|still|it"
    rf"|that)\b ?)*\b{_SAID}(?: in| down| up)?"
    r"(?: incorrectly| wrongly| mistakenly)? as\b|\bdown as\b|\b(?:old|current|wrong|previous"
    r"|existing)(?: (?:one|name|value|address|id"
    r"|handle|number))?(?: (?:is|was)\b|\s?[:=]| -)"
    r"|\b(?:was|were)\b(?! (?:\w+ed|wrong|set|put|spelt)\b)|\byou(?:'ve)? (?:wrote|put|typed"
    r"|entered|listed|written)\b|\bused to be\b|\bformerly\b"
    r"|\bpreviously\b|\bis currently\b|\bcurrently\b|\breplac(?:e|ing)\b)",
    re.IGNORECASE,
)
_IS = re.compile(r"\s*(?:is\s|are\s|be\s|[:'\"])\s*")
# Words too common to stand for a new value alone: what must come before them.
_NEEDS = {
    "with": re.compile(r"\b(?:replac|swap|switch|updat|exchang|substitut)", re.IGNORECASE),
    "as": re.compile(
        r"\b(?:put|list|set|regist|use|enter|sav|hav|record|sho|stor|mark|writ|chang|updat|correct|giv"
        r"|add)",
        re.IGNORECASE,
    ),
    "to": re.compile(
        r"\b(?:chang|chnag|chag|updat|updt|switch|set|correct|fix|from|amend|modif|renam|swap|edit"
        r"|convert|mov|need|should|revis|rectif|go|"
        r"sent|send|ship|deliver|mak|alter|adjust|put|turn|transfer|relocat|redirect)",
        re.IGNORECASE,
    ),
}
_EN_LEADS = re.compile(
    r"\b(?:make|set|put|call|change|switch|want|swap|have|like)\b[^.;:]{0,12}$", re.IGNORECASE
)

_STATES = (
    r"(?:되어|돼|됐|되있|등록(?!\s?해)|저장(?!\s?해)|적혀|적힌|나와|나오|나옵|나온|표기|표시"
    r"|기재(?!\s?해)|들어가|떠|뜨|뜹|뜬|써져|쓰여|써\s?있"
    r"|입력(?!\s?해)|찍혀|보이|보입)"
)
_CHANGE = (
    r"(?:변경|바꾸|바꿔|바꿀|바꿨|바꼬|바꿈|바뀌|바뀐|바꼈|수정|정정|고쳐|고치|고칠|업데이트|갱신"
    r"|교체|교정|재등록|등록|옮겨|옮겼|옮긴|옮기"
    r"|해\s?[주줘달놔]|부탁|설정|입력|적어|저장|넣어|기재|할게|하고\s?싶|하려|요청|맞춰|되어야"
    r"|돼야|통일|바로잡|새로|이전|이동|이사|개명|갈아타|반영|보내|배송|희망"
    r"|원합|원해|쓸게|써\s?주|붙여|띄어|표기해|가능|될까|하면)"
)
_COPULA = (
    r"(?:이에요|이예요|예요|에요|입니다|이요|임|이고요?|구요|이구요|이라고\s?(?:합니다|해요)|이야"
    r"|이라서|이니까?|거든요|이거든요|인데요?|인데|이고"
    r"|(?<=[0-9A-Za-z])요)"
)
_KO = re.compile(
    r"(?P<old>\s?(?:→|->|=>|~>)\s?|(?<=['\"])(?:을|를)(?=\s)|\s?에서(?=[\s,'\"])|\s?말고(?:요)?\b|\s?(?:이"
    r"|가)?\s?아니(?:라|고|구|에요"
    r"|예요|고요)|\s?대신(?:에)?\b|\s?(?:을|를)?\s?(?:쓰고|빼고|지우고|버리고|없애고)(?=[\s,])(?!\s?있)"
    rf"|\s?(?:이라고|라고|으로|로)\s?(?:만|도|밖에)?\s?(?:계속\s|자꾸\s|잘못\s?|아직\s)*{_STATES}|\s?(?:이었"
    r"|였)(?:는데|고|습니다|어요|던|지만)"
    r"|\s?(?:은|는)\s?(?:예전|옛날?|전에|틀린|이제\s?안|더\s?이상|더는|안\s?[써쓰]))"
    r"|(?P<new>\s?(?:으로|로)\s*(?:좀\s*|다시\s*|꼭\s*|같이\s*|함께\s*|각각\s*|전부\s*|모두\s*"
    r"|다\s|싹\s*|이름\s*"
    rf"|새로\s*)*{_CHANGE}"
    r"|\s?(?:으로|로)(?:요|이요)?[,.!~ㅠㅜㅎㅋ\s]*(?:$|감사|고맙|부탁)|\s?(?:으로|로)(?=,)"
    rf"|\s?(?:이|가)\s?(?:맞|정확|옳|진짜|제\s|저의\s|본명)|\s?{_COPULA}(?=[\s.,!~;)]|$)"
    r"|\s?(?:을|를)?\s(?:넣어|추가해|추가|써|적어)\s?[주줘]|\s?(?:을|를)?\s(?:써요|씁니다"
    r"|쓰고\s?있|사용\s?중|사용합|쓰는\s?중))"
)
_KO_OLD_LEAD = re.compile(
    r"(?:그만\s|기존|예전|이전|옛날?|원래|전에|결혼\s?전)(?:에는|에|엔|은|는)?\s?(?:\S{1,6}?(?:은"
    r"|는|이|가|:)\s)?"
)
_KO_NEW_LEAD = re.compile(
    r"(?:새로\s|새\s|이제는?|앞으로는?|바뀐|변경된|맞는|올바른|정확한|실제로?는?|사실은?|진짜"
    r"|신규|요즘은?|지금은?)\s?(?:\S{1,6}?(?:은|는|이|가|:)\s)?"
)
_KO_CUT = re.compile(
    r"^.*(?:[가-힣](?:는데|은데|한데|던데|어서|아서|해서|니까|지만|네요|어요|습니다|데요|텐데"
    r"|나봐요|으니|았고|었고|했고))[,.]?\s+|^\s*[,/]\s*"
    r"|^.{0,14}(?<=[가-힣])(?:을|를)\s+"
)


_KO_PARTICLE = re.compile(
    r"\s*(?:정보|칸|란|이름)?\s?(?:(?:을|를|은|는|이|가|도|만|의|에|엔)(?=[\s:,'\"]))?\s*(?:[:=]|-\s)?\s*"
)
_KO_CHANGES = re.compile(_CHANGE + "|맞|정확")


def english(text: str, before: str, whole: bool = False) -> list[tuple[str, str]]:
    """Values of the text behind a field's word, each with `new` or `old`, in order."""
    found: list[tuple[str, str]] = []
    role, start, changed = _leading(text, before, whole), 0, False
    for cue in _EN.finditer(text):
        word = cue[0].strip(" ,").lower()
        if word in _NEEDS and not _NEEDS[word].search(before + text[: cue.start()]):
            continue
        found.append((role, text[start : cue.start()]))
        if cue.lastgroup == "new" and role == "lead" and not changed:
            found[-1] = ("old" if re.match(r"\s*[:'\"]", found[-1][1]) else "", found[-1][1])
        elif cue.lastgroup == "old" and role == "lead":
            found[-1] = ("new", _IS.sub("", found[-1][1]))
        changed = True
        role, start = (cue.lastgroup or "").replace("stop", ""), cue.end()
    found.append((role if changed else "", text[start:]))
    return [(role, value) for role, value in found if role in ("new", "old")]


def _leading(text: str, before: str, whole: bool) -> str:
    """What stands right behind the field: a value ("make my area Jeju"), or words to pass over."""
    return "lead" if not whole and (_EN_LEADS.search(before) or _IS.match(text)) else ""


def korean(text: str) -> list[tuple[str, str]]:
    """Values of the text behind a field's word, each with `new` or `old`, in order."""
    found: list[tuple[str, str]] = []
    particle = _KO_PARTICLE.match(text)
    start = particle.end() if particle else 0
    for cue in _KO.finditer(text):
        value, role = text[start : cue.start()], str(cue.lastgroup)
        start = cue.end()
        value = _KO_CUT.sub("", value).strip()
        old, new = _KO_OLD_LEAD.match(value), _KO_NEW_LEAD.match(value)
        if old and not _KO_CHANGES.search(cue[0]):
            value, role = value[old.end() :], "old"
        elif new and new.end() < len(value):
            value = value[new.end() :]
        if value:
            found.append((role, value))
    return found
