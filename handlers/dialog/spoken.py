"""Short words that mean a command: what people type where they could press a button.

Only a message that says nothing else counts; everything longer is read as a request.
"""

import re
from collections.abc import Mapping
from functools import cache

from subjectline.handlers.choices import CHOSEN
from subjectline.handlers.understanding import Vocabulary
from subjectline.handlers.words import LANGUAGES, word_list

LONGEST = 60
_EDGES = " \t\n.,!?~…\"'“”‘’/"
_ASK = (
    r"(?: ?(?:주세요|주실래요|줘요?|주십시오|부탁(?:드려요|드립니다|해요|합니다)?|할게요|할래요"
    r"|하겠습니다|하고 싶어요))?"
)
_SPOKEN: Mapping[str, tuple[str, ...]] = {
    "start": (
        r"안녕(?:하세요|하십니까)?",
        r"처음(?:으로)?|시작|메뉴",
        r"hello|hi|hey|hiya|start|menu|good (?:morning|afternoon|evening)",
    ),
    "help": (
        r"도움말?|도와|사용법|(?:뭐|무엇을) 할 수 있(?:어|나)요?",
        r"help(?: me)?|what can (?:you|i) do(?: here)?|how does this work",
    ),
    "status": (
        r"(?:진행 ?|처리 ?)?(?:상황|상태)(?: 알려| 확인)?",
        r"어떻게 (?:되고 있|되었|됐|돼 가|되어 가)(?:나|는지|어|습니까)요?",
        r"언제(?:쯤)? (?:되|끝나|처리되|알 수 있|답을 받|답이 오)나요|얼마나 걸리(?:나|는지|어)요?",
        r"status|(?:how is|where is|what about) my request(?: going| doing)?",
        r"any (?:news|updates?)|what'?s the status|how long (?:does|will) (?:it|this) take",
        r"when (?:will|is) (?:it|this|my request)(?: be)? (?:done|ready|finished)",
    ),
    "cancel": (
        r"(?:요청 ?)?취소(?:해)?|그만(?:둘게요|할게요|하겠습니다)?|안 할래요|없던 일로 해",
        r"cancel(?: it| that| this| my request)?(?: please)?|stop(?: it)?|never ?mind|forget it",
    ),
    "privacy": (
        r"(?:개인정보 ?)?(?:처리방침|보호책임자|안내)|개인정보 담당자",
        r"privacy(?: policy)?|(?:who is )?(?:your |the )?(?:privacy|data protection) officer",
    ),
    "language": (r"언어(?: ?(?:변경|설정|바꾸기))?(?:해)?", r"language|change (?:the )?language"),
    "language:ko": (
        r"한국어|한국말|한글|한국어로(?: 해| 말해| 안내해)?",
        r"(?:in )?korean(?: please)?",
    ),
    "language:en": (r"영어|영어로(?: 해| 말해| 안내해)?", r"(?:in )?english(?: please)?"),
    "access": (r"열람|내 ?정보(?: ?(?:열람|보기|조회))?", r"access|(?:see )?my data"),
    "correct": (
        r"(?:정보 ?)?(?:정정|수정|변경)(?:해)?",
        r"correct(?:ion)?|(?:correct|change) my data",
    ),
    "withdraw": (r"(?:동의 ?)?철회(?:해)?", r"withdraw(?: consent| my consent)?"),
    "person": (
        r"상담(?:원|사)?(?: 연결(?:해)?)?|담당자(?: (?:연결|바꿔))?(?:해)?",
        r"사람(?:이랑|하고|과)? ?(?:통화|상담|이야기|얘기)?",
        r"human|agent|call me|(?:talk|speak) to (?:an? )?(?:human|person|agent|someone)",
    ),
    "thanks": (
        r"(?:정말 |너무 )?(?:고마워|고맙|감사)(?:요|습니다|해요|합니다|드려요|드립니다)?",
        r"수고하(?:세요|셨습니다)|알겠(?:습니다|어요)",
        r"thank(?:s| you)(?: (?:very|so) much| a lot)?|ok(?:ay)? thank(?:s| you)|great|got it|cheers",
    ),
}
_COMPILED = {
    name: re.compile(f"(?:{'|'.join(said)}){_ASK}", re.IGNORECASE) for name, said in _SPOKEN.items()
}
_LOST = re.compile(
    r"(?:이메일|메일|연락처|주소|번호|전화).{0,20}"
    r"(?:못 ?(?:써|쓰|열|받|들어)|없(?:어|습|는)|잃|바뀌|사라|닫|막|잊|까먹|모르|몰라|기억)"
    r"|(?:lost|no longer|do ?n[o']t|cannot|can'?t|forgot).{0,40}"
    r"(?:mail|address|account|phone|number|contact)",
    re.IGNORECASE,
)
_NO_MAIL = re.compile(
    r"(?:메일|번호|코드|인증).{0,12}(?:안 ?(?:와|왔|옵)|오지 ?않|못 ?받|없)"
    r"|(?:no|not|n't|never).{0,30}(?:mail|code|arrive|receive|got|get|come)",
    re.IGNORECASE,
)


def command_in(text: str) -> str:
    """`status`, `cancel`, `language:en` …; an empty text where it is something else."""
    plain = _bare(text)
    if not plain or len(plain) > LONGEST:
        return ""
    labelled = _labels().get(plain)
    if labelled:
        return labelled
    return next((name for name, said in _COMPILED.items() if said.fullmatch(plain)), "")


def field_in(text: str, vocabulary: Vocabulary) -> str:
    """The one field that a short answer names; an empty text for none, or for several."""
    if len(text) > LONGEST:
        return ""
    names = {hit.name for hit in vocabulary.find(text)}
    return names.pop() if len(names) == 1 else ""


def without_contact(text: str) -> bool:
    """Whether somebody says that they cannot use their registered contacts any more."""
    return len(text) <= 200 and bool(_LOST.search(text))


def no_mail(text: str) -> bool:
    """Whether somebody says that our mail does not come."""
    return len(text) <= 200 and bool(_NO_MAIL.search(text))


@cache
def _labels() -> Mapping[str, str]:
    """The labels of the buttons in both languages, as people may type them."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        words = word_list(language)
        found |= {_bare(words["kinds"][kind]): f"right:{kind}" for kind in CHOSEN}
        for name in ("access", "correct", "withdraw", "status", "privacy", "language"):
            found[_bare(words["buttons"][name])] = name
    return found


def _bare(text: str) -> str:
    return " ".join(text.strip(_EDGES).casefold().split())
