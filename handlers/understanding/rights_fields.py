"""Rights over single fields, as data: ◆ stands where a clause names a field.

Korean patterns run over a clause without spaces, English ones over a clause in lower case.
"""

import re

MARK = "\u25c6"


def _any(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


def _c(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts))


# Korean

_KO_DELETE = _any(
    "삭제", "지워", "지우", "지울", "지웠으면", "없애", "없앨", "없앴으면", "파기", "폐기", "제거",
    "말소", "비워", "비우", "비울",
    "빼(?=[주줘줄줬달드셔버도면놔야]|고싶)", "뺄", "뺐으면", "내려(?=[주줘줄줬달])", "떼(?=[주줘줄줬달])",
    "치워", "날려", "초기화",
    "(?:등록|연동|연결|저장)(?:을|를|된거|된것|한거)?(?:좀|도)?(?:해제|해지|취소|끊)",
    "없어도(?:돼|되|될|됩)",

        "(?:남기|남겨두|남겨놓|보관하|저장하|저장해두|가지고있|갖고있|갖고계시|가지고계시|등록해두"
        "|보유하)(?:고싶|기를?|길|시)?지?(?:는|도|를)?"
    "(?:않|싫|마|말|원치)", "안(?:남|갖고있|가지고)", "지움",
)  # fmt: skip
_KO_USE = "(?:이용|사용|활용|추천|분석|프로파일링|처리|쓰|쓰이|돌리|반영|참고)"
_KO_SUSPEND = _any(

        f"{_KO_USE}(?:하|되|시키)?(?:는|시는|던)?(?:것|거|건|게|걸|일)?(?:을|를|은|는|도|에|에서"
        "|의)?(?:당분간|잠시|잠깐|일단|좀|이제|전부|모두|하지)*"

        "(?:중단|중지|정지|멈|그만|보류|금지|제한|하지(?:는|를|좀|도)?(?:말|마|않)|지(?:는|를|좀"
        "|도)?(?:말|마|않)|안했으면|빼|제외|동결|싫)",
    "(?:안|못)(?:쓰게|쓰셨으면|썼으면|쓰도록|쓰이게)", "동결",
    "(?:쓰|이용|사용|활용)(?:지|하지)(?:는|를|좀|도)?(?:말|마|않)",
    "일시(?:적으로)?(?:중지|정지|중단)", "돌리(?:는거|는것|는건)?(?:하)?지(?:는|를)?(?:말|마|않)",
)  # fmt: skip
_KO_KEPT = (
    "(?:등록|저장|보관|기재|가지고|갖고|보유|입력|적어|적은|가입할?때|기록|알고계신|올려|올라"
    "|써놓|남아|넣어)(?!하면|이?되나|이?가능|방법|하려|하는법|이돼|해야|은어"
    "|은언|안)"
)
_KO_FORM = "(?:뭐|뭘|무엇|무슨|어떻게|어떤|어디|어느|몇번|누구|뭔)"
_KO_STANDS = (
    "(?:해놨|해뒀|해놓|설정|지정|등록|저장|되어|돼|됐|적혀|기재|들어가|입력|나와|나오|남아|표시"
    "|올라|쓰여|써져|있|인지|이었|였"
    "|냐|더라)"
)
_KO_TELL = _any(
    "알려", "보여", "확인(?!차|했)", "조회", "궁금", "알수", "알고싶", "볼수", "보고싶", "봐주", "봐줘",
    "열람", "공개", "찾아", "가르쳐",
    "체크", "말씀해", "말해", "읽어", "안내해", "보내주", "보내줘",
)  # fmt: skip
_GAP = rf"(?:[^{MARK}]{{0,26}}?)"

KO = (
    (
        "erasure",
        _c(rf"{MARK}(?!(?:으)?로(?!그)|에서|에있|에는|에온|에올|말고){_GAP}{_KO_DELETE}"),
        False,
    ),
    ("suspension", _c(rf"{MARK}(?!말고){_GAP}{_KO_SUSPEND}"), False),
    (
        "access",
        _c(
            rf"{_KO_KEPT}[^{MARK}]{{0,8}}{MARK}.{{0,24}}{_KO_TELL}",
            rf"{MARK}.{{0,16}}{_KO_FORM}.{{0,14}}{_KO_STANDS}.{{0,16}}{_KO_TELL}",
            rf"{MARK}.{{0,16}}{_KO_FORM}.{{0,12}}{_KO_STANDS}",
            rf"{MARK}.{{0,24}}(?:인지|는지).{{0,14}}{_KO_TELL}",
            rf"{MARK}.{{0,10}}{_KO_KEPT}.{{0,14}}{_KO_TELL}",
            rf"(?:현재|지금|제|내|저의|본인)(?:의)?{MARK}.{{0,3}}(?:좀)?(?:이?(?:뭔지|뭐예요"
            r"|뭐에요|뭐죠|뭔가요|무엇)"
            r"|.{0,6}(?:조회|열람|보여|확인하고싶|확인할수))",
        ),
        True,
    ),
)
# Without a field of its own, about the field of the clause or sentence before.
KO_LEANING = (
    ("erasure", _c(_KO_DELETE), False),
    ("suspension", _c(_KO_SUSPEND), False),
    (
        "access",
        _c(
            rf"{_KO_KEPT}(?:된|되어있는|돼있는|해둔|한|둔|놓은)?(?:거|것|걸|게|내용|정보|값"
            rf"|그대로|건).{{0,14}}{_KO_TELL}",
            r"(?:뭐라고|뭘로|뭐로|무엇으로|어떻게|어디로|뭐|몇)(?:해놨|해뒀|설정|지정|정했|했"
            r"|적었|썼|넣었|등록했"
            r"|입력했)(?:는지|나요|었는지|을까)",
            r"(?:뭐|뭘|무엇|어떻게|어떤거|어떤걸|어떤것|어디|몇번).{0,8}(?:등록|저장|되어|돼"
            rf"|적혀|기재|들어가|입력).{{0,16}}{_KO_TELL}",
        ),
        True,
    ),
)
# A mere "please tell me": only behind a clause that seemed to ask what stands there.
KO_TELL = _c(
    r"^(?:좀|한번|그것?|그거|이것?|혹시|다시|지금|현재)*(?:알려[주줘]|확인(?:해[주줘]|부탁|좀"
    r"|요청)|조회해|알수있을까|볼수있을까)"
)
EN_TELL = _c(r"\b(?:tell me|look it up|let me know|check it|check that|remind me|what is it)\b")

# What else a clause may want deleted, stopped or shown: then it is not about the field.
KO_OTHER_THING = re.compile(
    r"사진|영상|이미지|작품|게시|댓글|리뷰|후기|동영상|광고|마케팅|홍보|문자|알림|뉴스레터|소식"
    r"|동의|회원(?!정보)|계정(?!번호)"
    r"|탈퇴|주문|결제|환불|장바구니|상품|개인정보|데이터|모든|전부다|앱|필터|폴더|비밀번호|쿠폰"
    r"|포인트|정산금|인증|로그인|제?3자|제휴"
    r"|이력|파일|신청|요청한|구독"
)
KO_OUT = re.compile(
    r"변경|바꾸|바꿔|수정|정정|고쳐|틀리|틀렸|방법|광고|마케팅|(?:되|됐|했|반영)(?:는지"
    r"|었는지)확인|(?:예전|이전|기존|옛|구)(?:의)?"
    rf"{MARK}|고객센터|(?:판매자|구매자|작가|회사|매장|업체|담당자)(?:의|님)?{MARK}|(?:으로"
    r"|로)(?:해주|해줘|부탁|등록해)|인증|명단|목록에서"
)
KO_CONTRAST = re.compile(
    r"^(?:은|는|을|를)?[^,]{1,20}(?:으로|로),|^(?:정보|주소|번호)?(?:은|는|을|를|이|가|만"
    r"|도)?(?:말고|그대로|두고|놔두|냅두|유지"
    r"|남겨(?:주|두세|둬|놔)|빼고|제외하?고|계속|필요하|살려)"
)
KO_OLD = re.compile(r"예전|이전(?!까지)|기존|옛|구주소|지난")

# English

_D = (
    r"(?:delet(?:e|ing)|erase|erasing|remov(?:e|ing)|wip(?:e|ing)|get(?:ting)? rid of|drop(?:ping)?"
    r"|scrub|purge|clear(?: out)?|strip|discard|destroy|forget|take down|take out|blank)"
)
_GONE = (
    r"(?:delet(?:ed|e|ion)|erased|removed|wiped|gone|taken (?:off|down|out)|cleared|dropped|scrubbed"
    r"|purged|off (?:of )?(?:my|your|the)|out of (?:my|your|the))"
)
_KEEP = (
    r"(?:have|having|keep|keeping|hold|holding|store|storing|retain|retaining|hang on to|hanging on to"
    r"|keep hold of)"
)
_USE = r"(?:using|us(?:e|ed)|processing|process|profil\w+|analy[sz]\w+|feeding|relying on|working with)"
_OWN = (
    r"(?:(?:all|any|both|of|my|the|that|this|our|up|out|stored|saved|registered|whole|entire|as well"
    r"|also|those|these|personal|and|,|please)\W+){0,5}"
)
_TELL = (
    r"(?:pull up|dig (?:out|up)|find|tell|show|let me (?:see|know|have)|confirm|remind|check|send"
    r"|give|look up|see|find out|know"
    r"|read)"
)
_KEPT = (
    r"(?:(?:currently )?(?:on|in|against|under|for|with) my (?:profile|account|file|name|record"
    r"|membership)|on file|on record|registered|recorded|stored|saved|listed|in (?:your|the"
    r"|my) (?:system"
    r"|records?|profile|account)|you(?:'ve)? (?:have|got|hold|keep|store)|do you have|have you got"
    r"|under|down for me|when i (?:signed|joined|registered)|i (?:gave|entered|put|used|registered"
    r"|signed))"
)

EN = (
    (
        "erasure",
        _c(
            rf"\b{_D}\b {_OWN}{MARK}",
            rf"\b(?:take|get|have|want|like|need)\b.{{0,20}}{MARK}.{{0,25}}\b{_GONE}\b",
            rf"{MARK}.{{0,45}}\b(?:be|to be|being|get|is to be)\b (?:\w+ ){{0,2}}{_GONE}\b",
            rf"\bno (?:need|reason)\b.{{0,20}}\b{_KEEP}\b {_OWN}{MARK}",
            r"\b(?:no longer|don'?t|do not|rather you did ?n[o']t|rather not|stop|quit"
            rf"|not)\b.{{0,25}}\b{_KEEP}\b {_OWN}{MARK}",
            rf"\b(?:don'?t|do not|no longer) want {_OWN}{MARK}.{{0,12}}\b(?:kept|stored|held|saved"
            r"|on file|in your|on your)",
            rf"{MARK} (?:doesn'?t|does not|needn'?t|need not|should ?n[o']t"
            r"|isn'?t supposed to) (?:need to |have to )?be (?:in|on|there|stored|kept|held|part)",
            rf"\b(?:off|out of)\b.{{0,20}}\bwith {_OWN}{MARK}",
        ),
        False,
    ),
    (
        "suspension",
        _c(
            r"\b(?:stop|cease|quit|halt|pause|suspend|discontinue|refrain from|don'?t|do not|dont"
            rf"|no longer|not|never|restrict|freeze|hold off)\b.{{0,24}}\b{_USE}\b.{{0,12}}{MARK}",
            rf"\bobject\w*\b.{{0,20}}{MARK}.{{0,20}}\b(?:used|processed|profiled|analy[sz]ed)\b",
            rf"\bobject\w*\b.{{0,20}}\b{_USE}\b.{{0,15}}{MARK}",
            rf"\b(?:don'?t|do not|no longer|not) want {_OWN}{MARK}.{{0,15}}\b(?:used|processed"
            r"|profiled|analy[sz]ed)\b",
            rf"{MARK}.{{0,20}}\b(?:not|never|no longer) be (?:used|processed|profiled)\b",
            rf"\b(?:freeze|suspend|pause|restrict|put)\b {_OWN}{MARK}.{{0,12}}(?:\bon hold|\bfor now|$)",
            rf"\b(?:freeze|suspend|pause|restrict)\b.{{0,12}}\b(?:use|usage|processing)\b.{{0,10}}{MARK}",
            rf"\bkeep\b {_OWN}{MARK}.{{0,20}}\bout of\b.{{0,20}}\b(?:recommend|profil|analy"
            r"|algorithm|suggest)\w*",
        ),
        False,
    ),
    (
        "access",
        _c(
            rf"\bdo you (?:still )?(?:have|hold|keep|store)\b.{{0,8}}{MARK}.{{0,16}}(?:\b(?:on|in"
            r"|for|about)\b|\?)",
            rf"\b(?:what(?:'?s)?|which)\b.{{0,20}}{MARK} (?:did|do|have) i\b",
            rf"\b(?:what(?:'?s)?|which)\b.{{0,20}}{MARK}.{{0,30}}\b{_KEPT}\b",
            rf"\b(?:what(?:'?s)?|which)\b.{{0,12}}\b(?:my )?(?:registered|current|stored|saved) {MARK}",
            rf"\b{_TELL}\b.{{0,24}}{MARK}.{{0,24}}\b{_KEPT}\b",
            rf"\b{_TELL}\b.{{0,20}}\b(?:registered|stored|saved|current|recorded) {MARK}",
            rf"\bwhat(?:'?s| is| are| was)\b.{{0,8}}{MARK}.{{0,15}}\b(?:on|in|for|under) (?:my|file"
            r"|your|record)",
            rf"\bwhat(?:'?s| is| are)\b.{{0,6}}\bmy {MARK}.{{0,12}}\b(?:on|in|with|registered|set|again)\b",
        ),
        True,
    ),
)
_IT = r"(?:it|that|this|them|these|those|both|all of (?:it|them|that)|the (?:field|entry|record|value))"
EN_LEANING = (
    (
        "erasure",
        _c(
            rf"\b{_D}\b {_IT}\b",
            rf"\btake {_IT} (?:out|off|away|down)\b",
            rf"\b(?:take|get|have|want|like|need)\b {_IT}\b.{{0,12}}\b{_GONE}\b",
            rf"\b{_IT} (?:should |must |can |needs? to |has to )(?:be )?(?:{_GONE}|go\b)",
        ),
        False,
    ),
    (
        "suspension",
        _c(
            r"\b(?:stop|cease|quit|halt|pause|suspend|discontinue|don'?t|do not|dont"
            rf"|no longer)\b.{{0,24}}\b{_USE}\b (?:of )?{_IT}\b"
        ),
        False,
    ),
    (
        "access",
        _c(
            rf"\b{_TELL}\b.{{0,20}}\b(?:what|which|the one|whatever)\b.{{0,16}}\b{_KEPT}\b",
            rf"\b(?:what(?:'?s)?|which)\b.{{0,16}}\b{_KEPT}\b.*\?",
        ),
        True,
    ),
)
EN_OTHER_THING = re.compile(
    r"\b(?:photos?|pictures?|images?|videos?|posts?|comments?|reviews?|account(?! (?:number"
    r"|holder))|membership|marketing|ads?"
    r"|advert\w*|newsletters?|promo\w*|orders?|payments?|refund|everything|data|filter\w*|cart"
    r"|password|consent|cookies?"
    r"|app|copy|(?<!on )file|request|mailing|third part\w+|partners?|typo|mistake|error|space"
    r"|spaces|middle|extra|letter|hyphen)\b"
)
EN_THING_OF_ACCESS = re.compile(r"\baccount\b")
EN_OUT = re.compile(
    r"\b(?:chang(?:e|ing)|updat(?:e|ing)|correct(?:ing|ion)?|fix(?:ing)?|edit|amend|modify"
    r"|replac(?:e|ing)|rectify|switch|revise|swap|alter)\b|\bmailing list|\bmarketing|\bnewsletter"
    r"|\bfrom (?:the|your) \w* ?list|\b(?:old|previous|former|wrong) {MARK}"
    r"|\btypo|\bmistake\b|\b(?:his|her|their|your|seller'?s|company'?s) "
    rf"{MARK}|\b(?:to|via|by|at|through|on) (?:my |this |the )?{MARK}|\bpromo|\badvert|\b(?:text"
    r"|mailing|contact|call|sms|email) list"
)
EN_CONTRAST = re.compile(
    r"(?:(?<!to )(?<!you )(?<!not )(?<!n't )\bkeep|\b(?:keeping|leave|not|but|except|besides"
    rf"|instead of|rather than)\b[^{MARK}]{{0,12}})$"
)
EN_OLD = re.compile(r"\b(?:old|previous|former)\b")
BANK_DETAILS = re.compile(
    r"bank(?:ing)?(?: account)? (?:details|info\w*)|payout (?:details|info\w*)|(?:계좌|정산|은행)\s?정보"
)
