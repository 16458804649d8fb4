"""Rights in Korean, as data. Every pattern runs over a clause without its spaces."""

import re
from dataclasses import dataclass

from subjectline.handlers.understanding import words_ko as words
from subjectline.handlers.understanding.moods_ko import TRADE

# Talk about the policy, about goods, about somebody else: none of it is the member's data.
DECOYS = re.compile(
    r"(?:개인)?정보(?:보호)?(?:취급|처리)방침|개인정보보호(?:법|책임자|담당자|팀|정책|위원회)"
    r"|(?:상품|제품|배송|주문|행사|이벤트|할인|가격|매장|예약|여행"
    r"|구인|유용한|좋은|많은)정보"
    r"|정보(?:통신|주체)|(?:고객|문의|상담)센터|보고(?:있|싶은사진)|광고주|광고(?:문의|제휴|상품|집행)"
)
OTHERS_DATA = re.compile(
    r"(?:판매자|구매자|작가|다른사람|다른회원|타인|남의|상대방|친구|회사|업체|담당자|거래처|모델"
    r"|그사람|이분|다른분|직원|그분)(?:들|분)?(?:의"
    r"|에대한)?(?:개인)?(?:정보|연락처|전화|번호|주소|이메일|데이터|이름|계정)"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`topic` and `action` both stand in a clause. `carry`: the action alone may lean on the topic
    of the clauses before. `own`: the topic must be the writer's own. `not_with` rules it out.
    """

    kind: str
    action: re.Pattern[str]
    topic: re.Pattern[str] | None = None
    carry: re.Pattern[str] | None = None
    not_with: re.Pattern[str] | None = None
    cap: str = "sure"  # never surer than this
    possible: bool = False  # "can it be done?" is already a request
    bare: bool = False  # the naked noun ("수신거부") is already a request
    data: bool = False  # the topic always holds a word for data: a cheap look spares the rest


def _c(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_CARRY_STOP = _c(
    r"멈춰|멈추|중지(?:해|하)|중단하|안(?:왔|오|와)|그만(?:좀)?(?:보내|연락|하|받)"
    r"|보내지?(?:좀)?(?:마|말|않)|안(?:받|보내)|받(?:고싶지"
    r"|지)않|철회|차단|끊어|수신거부|거부할|빼주|빼줘|중단해|받기싫"
)

RULES = (
    Rule(
        "membership_withdrawal",
        _c(
            rf"탈퇴|회원(?:자격)?(?:을|를)?(?:해지|해제|취소|그만|정리)|{words.ACCOUNT}(?:을|를|도|좀"
            r"|은|는|이랑정보|까지)*(?:완전히|그냥"
            rf"|아예|영구)?(?:{words.DELETE}|닫|해지|폐쇄|정리|폭파|없앴|날려)"
            r"|(?:멤버십|가입)(?:을|를)?(?:해지|취소|철회|해제)|회원(?:명단|목록)?에서(?:저를|절"
            r"|나를)?(?:빼|빠지|빠질|뺄|나가|제외|탈)"
            r"|회원(?:을|를|은|도)?(?:이제)?그만|(?:모먼트픽|모멘트픽)(?:을|를"
            r"|에서)?(?:이제)?(?:탈퇴|나갈|나가고싶|떠나고싶|떠날)"
        ),
        bare=True,
    ),
    Rule(
        "portability",
        _c(words.PORT),
        _c(words.DATA + "|전송요구|이동권"),
        not_with=_c("전송요구서|마이그레이션오류"),
        possible=True,
        bare=True,
    ),
    Rule(
        "portability",
        _c(words.FILE),
        _c(rf"(?:{words.OWN}.{{0,8}}|회원|개인|고객|프로필|가입)(?:정보|데이터|자료|기록)|데이터"),
        not_with=_c(
            r"사진|영상|이미지|원본|작품|주문|구매|영수증|정산내역|매출|업로드|pdf|첨부|출력|인쇄"
            r"|안돼|안되|안됩|안됨|오류"
        ),
        possible=True,
        bare=True,
    ),
    Rule("objection", _c(words.OBJECT)),
    Rule(
        "third_party_withdrawal",
        _c(f"{words.WITHDRAW}|{words.SEND_STOP}"),
        _c(
            r"제?3자|제삼자|삼자제공|제공(?:에)?(?:대한)?동의|제공하는(?:것|거|데)에?동의"
            rf"|{words.THIRD}.{{0,24}}{words.SHARE}|{words.SHARE}.{{0,12}}{words.THIRD}"
            rf"|정보(?:를|는|좀|까지)?(?:막|함부로)?(?:공유|판매|팔|넘기|넘겨)"
        ),
        carry=_c(
            r"철회|제공(?:을)?(?:중단|중지|거부)|제공하지(?:마|말|않)|넘기지(?:마|말|않)"
            r"|공유하지(?:마|말|않)|거부할|거부합"
        ),
        not_with=_c("내역|현황|여부|목록(?!에서)"),
        possible=True,
        bare=True,
    ),
    Rule(
        "marketing_withdrawal",
        _c(f"{words.SEND_STOP}|{words.WITHDRAW}|{words.USE_STOP}"),
        _c(words.AD),
        carry=_CARRY_STOP,
        not_with=_c(TRADE.pattern),
        possible=True,
        bare=True,
    ),
    Rule(
        "marketing_withdrawal",
        _c(
            rf"{words.CONTACT}(?:를|을|은|는|이|가|도|좀|들)*(?:이제|더이상|더는|앞으로|다시는|자꾸"
            rf"|너무|많이|안와도되니)*(?:좀)?{words.SEND_STOP}"
        ),
        not_with=_c(TRADE.pattern + "|채팅|답장|코드"),
    ),
    Rule("marketing_withdrawal", _c(r"구독(?:을|를)?(?:취소|해지|해제|중단|끊)"), cap="likely"),
    Rule(
        "membership_withdrawal",
        _c(
            r"(?:모먼트픽|모멘트픽|여기|이용|이거|이앱|앱|가입)(?:을|를|은|는|도|에서)?(?:이제"
            r"|더이상|더는)?(?:그만(?!큼)|접을|접고|떠나|나갈게|나가고|안쓸래"
            r"|안쓸게|안할래|안할게)"
        ),
        not_with=_c(words.AD + "|문자|메일|연락|알림|설명|사진"),
        cap="likely",
    ),
    Rule(
        "membership_withdrawal",
        _c(r"서비스(?:를|을)?(?:이용)?(?:을|를)?(?:해지|그만)"),
        cap="likely",
    ),
    Rule(
        "marketing_withdrawal",  # a complaint without a wish
        _c(
            r"(?:너무|계속(?!받)|자꾸|왜|맨날|매일|또|엄청|진짜|하루에|시도때도).{0,14}(?:와|오"
            r"|옵|온|보내|받)|(?:많이|귀찮|짜증|시끄|그만)"
        ),
        _c(words.AD),
        cap="likely",
    ),
    Rule(
        "suspension",
        _c(words.USE_STOP),
        _c(words.DATA + r"|처리정지"),
        not_with=_c(words.AD),
        bare=True,
    ),
    Rule(
        "erasure",
        _c(words.DELETE),
        _c(words.DATA),
        carry=_c(r"삭제(?:를)?(?:해|원|요청|부탁|바)|지워"),
        not_with=_c(words.AD + "|앱|어플|기사|사진|글|댓글"),
        bare=True,
    ),
    Rule(
        "erasure",
        _c(f"{words.DELETE}|내려(?!받)"),
        _c("사진|영상|게시물|게시글|콘텐츠|컨텐츠|글|댓글|리뷰"),
        cap="likely",
    ),
    Rule(
        "access",
        _c(words.SEE_STRONG),
        _c(words.DATA),
        not_with=_c("어떻게하|조회수"),
        possible=True,
        bare=True,
    ),
    Rule(
        "access",
        _c(r"받을수|받아볼|받고싶|파일로|엑셀|보내(?:주|줘|달)"),
        _c(rf"(?:{words.OWN}.{{0,6}})(?:개인)?(?:정보|데이터)|회원정보"),
        not_with=_c(words.AD),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(rf"(?:{words.WHAT}.{{0,12}}|{words.OWN}.{{0,12}}){words.DATA}.{{0,16}}{words.HOLD}"),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(
            rf"{words.OWN}.{{0,12}}{words.DATA}.{{0,10}}(?:{words.WHAT}|목록|내역|현황|항목|출처|목적)"
        ),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(
            r"(?:저|나|본인)(?:에|와|랑)?(?:대해|대하여|관해|관하여|관련|대한"
            rf"|관한)(?:서)?.{{0,14}}{words.HOLD}"
        ),
        not_with=_c(f"광고|{words.DELETE}"),
        possible=True,
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(
            r"(?:프로필|계정|회원정보|시스템|서버|거기|여기|귀사"
            rf"|모먼트픽).{{0,10}}{words.WHAT}.{{0,10}}(?:저장|등록|보관|수집|들어|적혀|남아|기록|갖고"
            r"|가지고)"
        ),
        not_with=_c("사진|영상|상품|작품|행사|버튼|메뉴"),
        possible=True,
    ),
    Rule(
        "access",
        _c(rf"{words.SEE}|\?$"),
        _c(
            rf"(?:저|나)(?:에)?(?:대해서?|관해서?)(?:는|도)?.{{0,8}}{words.WHAT}.{{0,10}}{words.HOLD}"
        ),
        possible=True,
    ),
    Rule(
        "access",
        _c(r"알려|알고싶|궁금|확인(?:하고|할|해|부탁|좀)|보내"),
        _c(rf"{words.OWN}.{{0,6}}(?:개인)?(?:정보|데이터)"),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(
            r"제?3자.{0,8}제공.{0,6}(?:내역|현황|여부|목록)|(?:어디|누구|어느|어떤).{0,10}(?:제공"
            r"|공유|넘|전달|팔)(?:했|한|됐|된|하|되|겼"
            r"|아|어|렸)"
        ),
    ),
    Rule(
        "access",
        _c(words.SEE),
        _c(
            rf"(?:동의|수신|구매|주문|결제|정산|거래|접속|이용|로그인).{{0,3}}(?:내역|기록|이력)|{words.DATA}"
        ),
        cap="likely",
    ),
    Rule(
        "access",
        _c(r"알려|보여|확인(?:부탁|해|하고|요청|좀)|통지|궁금|밝혀|공개|고지|안내해|보내[주줘]"),
        _c(
            rf"{words.DATA}.{{0,14}}(?:출처|이용목적|수집목적|처리목적|목적|보유기간|보관기간|처리내역"
            r"|수집항목|제공받는)"
        ),
        not_with=_c(f"{words.DELETE}|변경|수정|상품|방침"),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(rf"{words.SEE}|회신|목록(?:을|좀)*[주달]"),
        _c(
            rf"{words.DATA}.{{0,4}}(?:제공|공유|전달|넘겨)(?:받은|된|한|했던|받는|하는).{{0,6}}(?:업체"
            r"|회사|곳|데|기관|목록|내역|명단)"
        ),
        not_with=_c(f"{words.WITHDRAW}"),
        possible=True,
        data=True,
    ),
    Rule(
        "access",
        _c(rf"{words.SEE}|회신|답변"),
        _c(
            r"(?:제가|내가|저는).{0,12}(?:입력|등록|제공|제출|적어낸|적은|써낸)(?:한|했던|해둔"
            r"|해놓은|된)?.{0,6}(?:항목|정보|내용|것들"
            r"|개인).{0,8}(?:무엇|뭐|뭔|어떤|있는)"
        ),
        not_with=_c("사진|작품|영상|리뷰|문의"),
        possible=True,
    ),
    Rule(
        "access",
        _c(r"보내[주줘]|보여|알려|공개|열람|사본|제공해|받고싶|받아보|확인하고싶|확인부탁|확인해"),
        _c(
            r"(?:저장|보관|수집|보유|등록|기재)(?:된|한|하신|중인|하고있는|하고계신|하시는"
            r"|되어있는|돼있는)(?:모든|전체|제|저의|본인)*"
            rf"{words.DATA}"
        ),
        not_with=_c(f"{words.DELETE}|변경|수정|상품|방침|판매자|작가"),
        possible=True,
        data=True,
    ),
    Rule(
        "unclear", _c(r"철회|취소|거두|거둬"), _c(r"동의"), not_with=_c(f"{words.AD}|{words.THIRD}")
    ),
)

# Cheap words, one of which stands in every clause that a rule fits: most clauses have none.
HAS_DATA = _c(words.DATA)
NAMED = _c(
    "탈퇴|인적|회원|계정|아이디|어카운트|account|멤버|가입|모[먼멘]트|정보|데이터|신상|기록|자료|이력"
    "|이동|이의|불복|재심|재검|다시검|납득|결정|거절|거부|반려"
    "|3자|삼자|제휴|협력|파트너|다른|타사|딴|외부|남한|보험|광고|마케팅|홍보|프로모|판촉|스팸"
    "|뉴스|소식|메일|이벤트|혜택|할인|쿠폰|세일|행사|특가|수신|마수동"
    "|문자|카톡|알림|푸시|톡|연락|전화|sms|구독|서비스|여기|이용|이거|앱|사진|영상|게시|[컨콘]텐"
    "|글|리뷰|프로필|저에|나에|저[와랑대관]|나[대관랑]|본인|동의"
    "|구매|주문|결제|정산|거래|접속|로그인|시스템|서버|거기|귀사|제가|내가|저는|어디|누구|어느"
    "|어떤|처리정지|전송"
)
CARRIED = tuple(rule for rule in RULES if rule.carry)

# Not a request about data, whatever else the clause says.
# … unless it names what to see.
ACCESS_ASKS = re.compile(r"항목|목록|사본|어떤정보|무슨정보|보관하시는지")
ACCESS_OUT = re.compile(
    r"(?:유출|해킹|안전|보호|도용|(?:수정"
    r"|변경|정정|삭제|반영|처리|탈퇴|철회|업데이트|적용)(?:이"
    r"|은|는|을|를)?(?:잘|다|제대로)?(?:됐|되었|된|완료|했|되어|돼|하였)|왜|언제까지|얼마나"
    r"|바뀐(?:게|거|건)|정책|약관)"
)

THIRD_TOPIC = re.compile(
    rf"제?3자|제삼자|{words.THIRD}.{{0,24}}{words.SHARE}|{words.SHARE}.{{0,12}}{words.THIRD}"
)
AD_TOPIC = re.compile(words.AD)
# "마케팅 수신 및 제3자 제공": two consents, not one for the other.
BOTH = re.compile(
    rf"{words.AD}.{{0,14}}?(?:및|와|과|이랑|랑|,|하고|도|/|그리고|·|다).{{0,12}}(?:제?3자|제삼자"
    rf"|{words.THIRD})|(?:제?3자|제삼자"
    rf"|{words.THIRD}).{{0,14}}(?:및|와|과|이랑|랑|,|하고|도|/|그리고|·).{{0,12}}{words.AD}"
)
