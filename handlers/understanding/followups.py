"""What one sentence does to the one before: takes it up, doubts it, says what its consent was for."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from subjectline.handlers.understanding import moods_en as en
from subjectline.handlers.understanding import moods_ko as ko
from subjectline.handlers.understanding import rights_en as en_rights
from subjectline.handlers.understanding import rights_ko as ko_rights
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.model import UNCLEAR, Sign
from subjectline.handlers.understanding.sieve import HANGUL, LATIN

_SHORT = 70  # letters of a sentence that only takes up the one before
_BACK = 3  # sentences in which a consent was named
_RAISED = {"marketing_withdrawal": ("statement", "vague", "", "plain"), "access": ("statement", "")}

_DO_IT: Mapping[bool, Mapping[str, re.Pattern[str]]] = {
    False: {
        "marketing_withdrawal": re.compile(
            r"\b(?:make|get) (?:it|this|that|them)(?: all)?(?: to)? stop\b|\bstop (?:it|this|that"
            r"|them|doing)\b|^\W*(?:please )?stop\b"
            r"|\b(?:end|cancel) (?:it|this)\b|\bturn (?:it|them|this) off\b|\bno more\b"
            r"|\bput an end to (?:it|this)\b"
            r"|\b(?:take|get) me off\b"
        ),
        "access": re.compile(
            r"\b(?:lay|send|show|tell|list|give|provide|share|e-?mail|let me know|let me see|see"
            r"|forward)\b.{0,25}"
            r"\b(?:it|them|this|that|all|everything|copy|list|know|overview|summary)\b"
        ),
        "membership_withdrawal": re.compile(
            r"\b(?:close|cancel|delete|end|terminate|remove) (?:it|this|that|mine)\b"
        ),
    },
    True: {
        "marketing_withdrawal": re.compile(
            r"그만(?!큼)|멈춰|멈추|중단|끊어|끊고|차단|꺼[주줘]|빼[주줘]|안보내|보내지(?:마|말)|거부"
        ),
        "access": re.compile(
            r"알려|보여|확인(?:부탁|해|좀|요청)|조회|보내[주줘]|공개|회신|답변|열람"
        ),
    },
}
# "Just curious": an enquiry, whatever it names.
_ASKING: Mapping[bool, re.Pattern[str]] = {
    False: re.compile(
        r"\b(?:do|change|fix|update|delete|handle|sort|close) (?:it|this|that|them"
        r"|so) (?:all )?(?:myself|on my own|later)\b"
        r"|\bjust (?:curious|asking|wondering|want(?:ed)? to know|checking)\b|\bonly (?:curious"
        r"|asking|wondering)\b"
        r"|\bnot (?:asking|requesting|planning|going|ready|doing)\b.{0,30}|\bnot (?:yet|now"
        r"|right now)\b|\bbefore i (?:sign up|join|decide)\b"
        r"|\bout of curiosity\b|\bno action (?:is )?(?:needed|required)\b|\bno need to (?:act|do"
        r"|change|reply)\b|\bdon'?t (?:do|change|delete|touch) anything\b"
    ),
    True: re.compile(
        r"(?:당장|지금(?:은)?|아직|꼭|진짜로?|바로)(?:은|는)?(?:할|한다는|하겠다는|하려는|그런"
        r"|탈퇴할|지울|바꿀)?(?:건|거는|것은|것도|얘기는|뜻은|생각은)?"
        r"(?:아니(?!면)|아닙|아님|없)|그냥(?:궁금|물어|여쭤|질문|문의|참고)|궁금해서(?:요|그냥"
        r"|여쭤|물어|그래)|(?:알아두|알고만|참고만)|혹시나(?:해서|싶어)"
        r"|단순(?:한)?(?:문의|질문|궁금)|문의만|물어만|여쭤만|(?:제가|직접"
        r"|알아서)(?:직접)?(?:할게요|하겠|할거|바꿀게|지울게|처리할게|해볼게)"
    ),
}
_CHANGED_MIND: Mapping[bool, re.Pattern[str]] = {
    False: re.compile(
        r"\b(?:changed my mind|on second thoughts?|actually,? (?:no|don'?t|keep)|scratch that"
        r"|(?:decided|going|happy|chose) to (?:stay|remain)|decided (?:not to|against)|staying after all"
        r"|forget (?:it|that))\b"
    ),
    True: re.compile(
        r"(?:생각|마음|맘)(?:이|을)?(?:바뀌|바꿨|바꾸)|다시생각해|계속(?:쓸게|쓰겠|이용하겠"
        r"|이용할게|쓰기로)|안하기로"
    ),
}
# The question before has settled itself.
_DROPPED: Mapping[bool, re.Pattern[str]] = {
    False: re.compile(
        r"\bnever ?mind\b|\bfound it\b|\bsorted (?:it )?(?:out )?(?:myself|now|already)\b"
        r"|\bignore (?:this|that|me)\b"
    ),
    True: re.compile(
        r"^(?:아)?(?:됐어요|됐습니다|해결(?:했|됐)|찾았(?:어요|네요|습니다)|무시하|신경쓰지)"
    ),
}
_ASKING_BIT = {False: LATIN.add(_ASKING[False]), True: HANGUL.add(_ASKING[True])}
_HOW_DOUBTS = ("how to", "possible", "question", "cannot", "noun")


def follow_ups(
    sentences: Sequence[Sentence], signs: list[tuple[Sign, ...]]
) -> list[tuple[Sign, ...]]:
    """The signs of each sentence again, seen with the sentences around them."""
    if not any(signs):
        return signs
    said = sentences
    for i in range(1, len(said)):
        if not any(signs[max(0, i - 1) : i + 1]):
            continue
        if _how_that(said[i]):
            signs[i - 1] = _each(signs[i - 1], _doubted)
        if _DROPPED[said[i].korean].search(said[i].whole):
            signs[i - 1] = _each(signs[i - 1], _unsaid)
        if _CHANGED_MIND[said[i].korean].search(said[i].whole):
            signs[i - 1] = _each(signs[i - 1], _doubted)
        if signs[i - 1] and _short(said[i]):
            signs[i - 1] = tuple(_raised(sign, said[i]) for sign in signs[i - 1])
    return [tuple(_consent(sign, said, i) for sign in own) for i, own in enumerate(signs)]


def only_asking(sentences: Sequence[Sentence]) -> bool:
    """Whether a sentence says that nothing is wished for: "I'll do it myself", "just curious"."""
    return any(
        one.may & _ASKING_BIT[one.korean] and _ASKING[one.korean].search(one.whole)
        for one in sentences
    )


def asked_only(certainty: str, why: str) -> bool:
    """Whether a sign is a mere enquiry once somebody has said that he only asks."""
    return certainty == "likely" and why in _HOW_DOUBTS


def _each(signs: tuple[Sign, ...], change: Callable[[Sign], Sign]) -> tuple[Sign, ...]:
    return tuple(map(change, signs)) if signs else signs


def _how_that(said: Sentence) -> bool:
    """ "I want to leave. How do I do that?": the question covers the wish before it."""
    return bool((ko if said.korean else en).HOW_THAT.search(said.whole))


def _doubted(sign: Sign) -> Sign:
    return replace(sign, certainty="likely", why="how to") if sign.certainty == "sure" else sign


def _unsaid(sign: Sign) -> Sign:
    return replace(sign, certainty="no" if sign.certainty == "likely" else "likely", why="dropped")


def _short(said: Sentence) -> bool:
    if len(said.whole) > _SHORT:
        return False
    if said.korean:
        return bool(ko.REQUEST.search(said.whole)) and not ko.HOWTO.search(said.whole)
    asks = en.REQUEST.search(said.whole) or re.match(
        r"\W*(?:make|stop|lay|list|show|tell|send)", said.whole
    )
    return bool(asks) and not en.HOWTO.search(said.whole) and not en.HYPO.search(said.whole)


def _raised(sign: Sign, said: Sentence) -> Sign:
    """A complaint or half a wish, and behind it "make it stop" or "please list them"."""
    pattern = _DO_IT[said.korean].get(sign.kind)
    if sign.certainty != "likely" or sign.why not in _RAISED.get(sign.kind, ("statement", "")):
        return sign
    if pattern is None or not pattern.search(said.whole):
        return sign
    return replace(sign, certainty="sure", why="taken up")


def _consent(sign: Sign, said: Sequence[Sentence], i: int) -> Sign:
    """ "I withdraw that consent": the sentences before say which one."""
    if sign.kind != UNCLEAR or sign.certainty == "no":
        return sign
    near = said[max(0, i - _BACK) : i + 1]
    third = any(
        (ko_rights if one.korean else en_rights).THIRD_TOPIC.search(one.whole) for one in near
    )
    marketing = any(
        (ko_rights if one.korean else en_rights).AD_TOPIC.search(one.whole) for one in near
    )
    if third == marketing:
        return sign
    return replace(sign, kind="third_party_withdrawal" if third else "marketing_withdrawal")
