"""A wish about one's data that names no right: worth a question, never more."""

import re
from collections.abc import Sequence

from subjectline.handlers.understanding import moods_en as en
from subjectline.handlers.understanding import moods_ko as ko
from subjectline.handlers.understanding.clauses import Sentence
from subjectline.handlers.understanding.sieve import HANGUL, LATIN
from subjectline.handlers.understanding.vocabulary import Hit

_KO_DATA = re.compile(
    r"(?:개인|회원|내|제|저의|본인)(?:의)?정보|(?:제|내)(?:계정|데이터|프로필(?!사진))|회원(?:자격|가입)?"
)
_KO_VAGUE = re.compile(
    r"처리(?:를)?(?:좀)?(?:부탁|해[주줘]|바랍)|정리(?:좀)?(?:를)?(?:해|부탁)|어떻게(?:좀"
    r"|든)?(?:해[주줘]|하고싶|처리)|손(?:좀)?봐|조치|"
    r"(?:한번)?봐[주줘]|이상(?:해요|합니다|하네|한것)|문제(?:가)?(?:있|생)|관련(?:해서|하여|건"
    r"|문의)|찝찝|불안|불쾌|지금처럼|싫(?:어요|습니다|은데)"
)
_KO_ALONE = re.compile(
    r"(?:전부|다|모두|싹)(?:다)?(?:필요없고|그냥|다)*(?:없애|지워|삭제|정리)(?:해)?[주줘]|(?:이거"
    r"|다|여기|모먼트픽|모멘트픽|이제)(?:은|는|이|도"
    r"|을)?(?:다)?그만(?:하고싶|할래|할게|두고싶|둘래)"
)
_KO_NOT = re.compile(
    r"사진|영상|작품|앨범|로그인|비밀번호|비번|인증|앱|오류|설명|댓글|리뷰|필터|폴더|정산|판매"
    r"|어떻게하면|문자|방침"
)
_EN_DATA = re.compile(
    r"\bmy (?:personal |own )?(?:data|info\w*|details|records?|account|profile(?! pic| photo)"
    r"|interests|privacy)\b|\babout me\b|\babout my \w+"
)
_EN_VAGUE = re.compile(
    r"\bdo something\b|\bsort (?:it |this |that )?out\b|\bdeal with\b|\btake care of\b"
    r"|\blook into\b|\bhandl(?:e|ing)\b|\b(?:not|n't) (?:\w+ )?(?:comfortable|happy|ok|okay|sure)\b"
    r"|\buncomfortable\b|\bdon'?t like\b|\bworried\b|\bconcerned\b|\blike that\b"
    r"|\bfix my (?:account|profile)\b|\bsomething (?:is )?wrong\b|\bclean up\b"
    r"|\b(?:using|drop) (?:or|whatever)\b|\bsomeone is using\b|\bdon'?t want\b.{0,40}\b(?:there|any ?more)\b"
)
_EN_NOT = re.compile(
    r"\b(?:photos?|pictures?|videos?|albums?|log ?in|password|orders?|refund|payments?|buyers?"
    r"|seller|price|encrypted|safe|policy|app|page)\b"
)
# Without one of these nothing in a sentence is vague.
_KO_BITS = HANGUL.add(_KO_VAGUE) | HANGUL.add(_KO_ALONE)
_EN_BITS = LATIN.add(_EN_VAGUE)


def vague(sentences: Sequence[Sentence], hits: Sequence[Sequence[Hit]]) -> bool:
    """Whether some sentence wants something done about the writer's data, without saying what."""
    return any(_one(sentence, bool(own)) for sentence, own in zip(sentences, hits, strict=True))


def _one(sentence: Sentence, named: bool) -> bool:
    if sentence.korean:
        if not sentence.may & _KO_BITS:
            return False
        text = sentence.whole
        if _KO_NOT.search(text) or ko.TRADE.search(text) or ko.HYPO.search(text):
            return False
        about = named or bool(_KO_DATA.search(text))
        return bool(_KO_ALONE.search(text)) or (about and bool(_KO_VAGUE.search(text)))
    if not sentence.may & _EN_BITS:
        return False
    text = sentence.whole
    if _EN_NOT.search(text) or en.TRADE.search(text):
        return False
    about = named or bool(_EN_DATA.search(text))
    return about and bool(_EN_VAGUE.search(text))
