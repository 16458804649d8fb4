"""What mail programs write around a person's words, in Korean and English, as data.

Clients: Gmail, Naver, Daum and Kakao, Outlook (Windows, web, phones), Apple Mail, Thunderbird,
Yahoo, Samsung. To teach a new one, add its words here and a mail to tests/mails. What programs set
to another language write (a member abroad answers a Korean letter) stands in `phrases_abroad`.
"""

import re

from subjectline.intake.mailparse import phrases_abroad as abroad


def _any(*words: str) -> str:
    return "(?:" + "|".join(words) + ")"


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_MESSAGE_KO = _any("메시지", "메세지", "메일", "이메일")
_LINES = r"[-_=*\s>]{2,60}"
_HEAD = _any(
    "original (?:message|appointment|mail|email)",
    "forwarded (?:message|by|mail).{0,80}",
    "reply (?:message|above this line).{0,40}",
    rf"원본\s?(?:{_MESSAGE_KO}|내용|글)",
    rf"(?:받은|보낸|이전|원래)\s?{_MESSAGE_KO}(?:\s?내용)?",
    rf"전달된\s?{_MESSAGE_KO}",
    "(?:답장 |회신 )?원문",
    *abroad.ORIGINAL,
)
SEPARATOR = _pattern(
    rf"{_LINES}\[?\s*{_HEAD}\s*\]?\s?{_LINES}"
    # Zoho sets its attribution between dashes.
    rf"|-{{2,10}} .{{5,150}}(?:wrote|작성|{'|'.join(abroad.WROTE)}) ?-{{2,10}}"
)
FORWARDED = _pattern(
    _any("begin forwarded message", "(?:다음은 )?전달된 메시지(?: 시작|입니다)?") + r"\s?:"
)

_SENDER = _any(
    "from", r"보낸\s?사람", r"보낸\s?이", "발신자?", "발신인", "보낸 분", "작성자", *abroad.FROM
)
_FIELDS = _any(
    _SENDER, "sent", "date", "to", "cc", "bcc", "subject", "reply-to", "importance",
    r"보낸\s?(?:날짜|시간|일시)", "날짜", "일시", "일자", "시간", r"받는\s?(?:사람|이)", r"받은\s?사람",
    "수신[자인]?", r"(?:숨은\s?)?참조", "제목", "중요도", "첨부",
    *abroad.FIELDS,
)  # fmt: skip
FROM_LINE = _pattern(rf"[*>\s]{{0,4}}{_SENDER}\s?\*?\s?:\*?\s?\S")
FIELD_LINE = _pattern(rf"[*>\s]{{0,4}}{_FIELDS}\s?\*?\s?:")

_WRITTEN = _any(
    "wrote", "writes", "작성", "작성함", "작성했습니다", "작성하였습니다", "쓴 글", "쓴 메일", "썼습니다",
    "쓰셨습니다", "보낸 메시지", "보낸 메일", "보낸 글", "적었습니다", "님의 말", "님의 메일",
)  # fmt: skip
WROTE = _pattern(rf"{_WRITTEN}\s?:?\s?$")
# A verb in the middle: only in languages in which nobody here tells of a letter of their own.
WROTE_ABROAD = _pattern(rf"(?:^|[\s>\"(\d]){_any(*abroad.WROTE)}(?=[\s:：(]|$)")
DATED = _pattern(r"(?:on|at)\b|\d{2,4}\s?[년.\-/]|[월화수목금토일]요?일?,")
DATED_ABROAD = _pattern(rf"{_any(*abroad.DATED)}")
_BRACKETED = r"<\s?(?:mailto:)?[^<>\s]{1,100}@[^<>\s]{1,100}>\s?"
# No verb at all: a date, a name and an address, and nothing else.
DATE_AND_ADDRESS = _pattern(
    rf"(?:\w{{2,10}}\.?, )?\d{{1,4}}[\d .:,/\-년월일]{{2,20}}.{{0,60}}{_BRACKETED}:?\s?"
    rf"|\w{{2,10}}\.?, \d{{1,2}} .{{0,80}}{_BRACKETED}:\s?"
)
NAMED = _pattern(r"\W{0,3}\w[^<>]{0,80}(?:<\S|님|wrote|writes|이\(가\))")
ADDRESS = _pattern(r"\S@\S|\[mailto:")
YEAR_AND_TIME = _pattern(r"(?:19|20)\d\d.*\d{1,2}\s?[:시]|\d{1,2}:\d\d.*(?:19|20)\d\d")

_DEVICE = _any(
    "iphone", "ipad", "ipod", "아이폰", "아이패드", "galaxy", "갤럭시", "삼성", "samsung", "lg", "엘지",
    "android", "안드로이드", "outlook", "아웃룩", "windows", "네이버", "naver", "다음", "daum",
    "카카오", "한메일", "nate", "네이트", "gmail", "지메일", "yahoo", "proton", "모바일", "mobile",
    "스마트폰", "휴대폰", "휴대전화", "핸드폰", "phone", "tablet", "blackberry", "htc", "huawei", "xiaomi",
    "샤오미", "airmail", "mailbox", "spark", "typeapp", "bluemail", "aquamail", "k-9", "thunderbird", "whale",
)  # fmt: skip
_SENT = r"(?:보냄|보냈습니다|보낸 (?:메일|메시지).{0,6}|(?:작성|전송|발송|발신)(?:됨?|되었습니다|함))[.!]?"
# A whole sentence with a verb may be a person's own: only where nothing but devices stands before it.
_SENT_FROM = (
    rf"(?:(?:나의|내|제|저의)\s?)?(?:{_DEVICE}\s?){{1,4}}(?:[\w+-]{{1,12}}\s?)?에서\s?"
    r"(?:작성|전송|발송|발신|보낸|보냈)(?:습니다|했습니다|하였습니다|(?:된|한)?\s?(?:이?메일|메시지)(?:입니다)?)[.!]?"
)
ARMOUR = _pattern(r"-----(?:BEGIN|END) PGP (?:SIGNED MESSAGE|SIGNATURE)-----\s*")
PHONE = _pattern(
    _any(
        r"[(<]{0,2}sent (?:wirelessly |securely )?(?:from|via|using|with|by)\b"
        rf"[^,.]{{0,40}}{_DEVICE}[^,]{{0,60}}"
        r"(?:[,.] (?:please )?(?:excuse|forgive|pardon).{0,40})?",
        "get outlook for .{2,120}",
        rf".{{0,40}}{_DEVICE}.{{0,20}}에서\s?{_SENT}",
        _SENT_FROM,
        "(?:ios|android|windows|mac)용 outlook.{0,120}",
        "outlook for (?:ios|android).{0,120}",
        rf"{_any(*abroad.SENT)}\b[^,.]{{0,40}}{_DEVICE}.{{0,40}}",
        rf".{{0,20}}{_DEVICE}.{{0,20}}{_any(*abroad.SENT_LAST)}[。.]?",
        "\u1427",  # the mark of a Gmail extension
    )
)
# Never by words alone: "remove me from your mailing list" is a request.
LIST_FOOTER = _pattern(
    r"https?://\S{0,200}(?:listinfo|/mailman|//lists?[./]|unsub)|\S-(?:request|unsubscribe)@\S|unsubscribe@\S"
)

_THIS_MAIL = _any("e-?mail", "message", "communication", "transmission")
_ABOUT = _any(
    "this",
    "the information (?:contained |transmitted )?in this",
    "the contents? of this",
    "please note",
)
DISCLAIMER = re.compile(
    r"\W{0,6}"
    + _any(
        rf"{_ABOUT}\W{{1,4}}(?:that this )?{_THIS_MAIL}\b.{{0,300}}"
        "(?:confidential|privileged|intended|recipient|addressee)",
        "confidentiality (?:notice|note|statement)",
        r"(?:legal |e-?mail )?disclaimer\b",
        "if you (?:are not the|have received this|received this) .{0,80}(?:recipient|error|mistake)",
        "(?:please )?consider the environment",
        "think before you print",
    ),
    re.IGNORECASE | re.DOTALL,
)
# What the company's own server sets above a stranger's mail; the only one that may come first.
BANNER = _pattern(
    r"\W{0,6}(?:(?:caution|warning|notice|external(?: e-?mail| sender| message)?)\W{1,6})?"
    r"this (?:e-?mail|message) (?:has |was )?(?:originated|sent|came|comes|is) from (?:outside|an external)"
    r"|(?:\W{0,6}외부\s?(?:메일|발신)\W{1,4})?\W{0,6}(?:본|이|해당)\s?(?:전자)?\s?(?:메일|이메일|우편)[은이]\s?"
    r"(?:회사|조직|사내|기관)?\s?외부(?:에서|로부터)\s?(?:발송|수신|유입|전송)(?:된|되었|한)"
)
THIS_MAIL_KO = _pattern(
    r"\W{0,6}(?:본|이|당)\s?(?:전자)?\s?(?:메일|이메일|e-?mail|우편|메시지|메세지)[은는및과의에(,\s]"
)
# Two of these make a disclaimer; no word of a privacy request is among them.
DISCLAIMER_WORDS = _pattern(
    _any(
        "기밀", "비밀", "대외비", "수신인", "지정된", "의도된", "무단",
        r"잘못\s?(?:수신|전송|전달|받|발송|보내)",
        "유출", "복사", "배포",
        r"법적\s?책임", "법률", r"관련\s?법",
    )
)  # fmt: skip

_DELIVERY = _any("status notification", "failure", "has failed", "incomplete", "notification")
BOUNCED = _pattern(
    _any(
        "undeliver", rf"delivery {_DELIVERY}", "failure notice", "returned mail",
        "mail delivery (?:failed|system|failure)", "mail could not be delivered", "반송",
        "returning (?:message|mail|to sender)", "returned to sender", "failure delivery", "non-?delivery",
        "(?:message|mail) (?:was )?(?:not|never) delivered", "could not (?:be )?deliver", "delayed mail",
        "delivery (?:delay|report|problem)", "notification d'.{1,3}chec", "unzustellbar", "не доставлено",
        "недоставленное", "配信できません", "送信エラー", "メールエラー", "退信", "投递失败",
        "送信できませんでした", "error sending your (?:mail|message)", "trouble delivering your",
        "returned permanent error", "message you sent (?:was )?blocked by",
        r"(?:전송|발송|배달)\s?실패", r"(?:배달|전달)되지\s?(?:않|못)", r"수신\s?거부된", "배달할 수 없",
    )
)  # fmt: skip
ABSENT = _pattern(
    r"\W{0,4}(?:(?:re|fw|fwd|답장|회신)\s?:\s?)?\W{0,4}"
    + _any(
        "automatic reply", "auto(?:matic|mated)?[- ]?(?:reply|response)", "out of (?:the )?office",
        "away from (?:the |my )?(?:office|mail|desk)", "on vacation", "vacation reply",
        # Not a call that was missed, nor somebody who moves while on holiday.
        r"자동\s?(?:응답|회신|답장|답변)(?!\s?(?:전화|시스템|서비스|ars|기능|설정))",
        r"부재\s?(?:중|안내|알림)(?!\s?(?:전화|통화|연락|문자|착신|수령))",
        r"(?:휴가|출장|연차)\s?(?:중|안내)(?=\s?(?:입니다|이오니|임|으로|$|[^가-힣\s]|(?:re|fw|답장|회신)\b))",
    )
)  # fmt: skip
