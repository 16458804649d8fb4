"""Rights in English, as data. Every pattern runs over one clause in lower case."""

import re
from dataclasses import dataclass

from subjectline.handlers.understanding import words_en as words
from subjectline.handlers.understanding.moods_en import TRADE


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern` matches the request itself; `not_with` rules it out; `cap`: never surer than this."""

    kind: str
    pattern: re.Pattern[str]
    not_with: re.Pattern[str] | None = None
    cap: str = "sure"
    possible: bool = False  # "can I …?" is already a request
    negative: bool = False  # the pattern has its own "don't"


def _c(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_NOT_SEE = _c(
    r"\b(?:delet|eras|remov|wip|destroy|purg|forget|get rid|stop|ceas|restrict|suspend|freez|withdraw)\w*\b"
)

RULES = (
    Rule(
        "portability",
        _c(
            rf"{words.FILE}.{{0,40}}\b{words.DATA}|\b{words.DATA}\b.{{0,50}}{words.FILE}|\b(?:download"
            rf"|export)\w*\b.{{0,30}}\b(?:my|personal|account|member|about me)\b.{{0,20}}\b{words.DATA}"
            rf"|{words.MOVE}.{{0,30}}\bmy\b.{{0,20}}\b{words.DATA}.{{0,30}}{words.ELSEWHERE}"
            r"|\b(?:transfer|move|port"
            rf"|migrate|transmit) (?:all )?(?:of )?my (?:\w+ ){{0,2}}{words.DATA} to (?!me\b|my\b|this\b"
            r"|the (?:bin|trash|address|email)|\S+@)"
            rf"|{words.MOVE} (?:all )?(?:of )?my (?:\w+ ){{0,2}}{words.DATA} (?:directly|straight|over"
            r"|across)+ (?:over )?to (?!me\b|my\b|this\b)|\b(?:take"
            rf"|bring) (?:all )?(?:of )?my (?:\w+ )?{words.DATA} (?:along |over )?(?:with me|to|elsewhere)"
            r"|\bdata portability|\bexport (?:my|all my) (?:\w+ )?(?:data|profile|account|information"
            r"|details|records?)"
        ),
        not_with=_c(
            r"\b(?:stop|don'?t|do not|dont|not|never|no longer|withdraw|revoke|without|object|photos"
            r"|pictures?|images?|videos?|orders?|invoices?|sales|receipts?)\b|\bcan'?t\b|\bpdf\b"
        ),
        possible=True,
    ),
    Rule(
        "portability",
        _c(
            rf"\b{words.DATA}\b.{{0,12}}\bexported\b.{{0,40}}\b(?:another|other|different|new) (?:service"
            r"|provider|company|platform|app)"
            rf"|\bexport\w*\b.{{0,20}}\b{words.DATA}\b.{{0,40}}\b(?:another|other"
            r"|different|new) (?:service|provider|company|platform|app)|\bport(?:ability|ing|able)\b"
            r"|\bmachine[- ]readable|\b(?:transfer|move|port|transmit|send|migrate"
            rf"|export\w*)\b.{{0,20}}\b{words.DATA}\b.{{0,25}}\bto (?:another|a different|a new|other"
            r"|a competitor|the other|their|my other)\b"
        ),
        possible=True,
    ),
    Rule(
        "objection",
        _c(
            r"\bappeal(?:ing)?\b.{0,30}(?:decision|refusal|rejection|outcome|request|result|that|this)"
            r"|\b(?:object|objection|objecting)\b.{0,25}(?:decision|refusal|rejection|outcome|result)"
            r"|\b(?:disput|contest|challeng)\w*\b.{0,20}(?:decision|refusal|rejection|outcome|result|reply)"
            r"|\bdisagree with (?:your|the|this|that) (?:decision|refusal|rejection|outcome|answer|result)"
            r"|\b(?:lodge|file|raise|submit|register|make)\b.{0,12}\b(?:objection|appeal)\b"
            r"|\breconsider\b.{0,30}(?:decision|refusal|request)|\b(?:review|revisit|reopen"
            r"|re-?examine"
            r"|look again at)\b.{0,25}(?:refusal|rejection|decision|denial)|\b(?:don'?t|do not|cannot"
            r"|can'?t|won'?t|refuse to|not going to) (?:accept|agree (?:with|to))\b.{0,25}(?:decision"
            r"|refusal|rejection|outcome|answer|denial|reasons?)|\b(?:rejected|refused|denied|turned down"
            r"|declined)\b.{0,60}\b(?:reconsider|review|object|appeal|complain)\w*"
            r"|\bobject\w*\b.{0,30}\b(?:rejected|refused|denied|turned down)"
        ),
        negative=True,
    ),
    Rule(
        "third_party_withdrawal",
        _c(
            rf"\b{words.STOP}\b.{{0,60}}?\b{words.SHARE}\b.{{0,50}}\b{words.THIRD}\b"
            rf"|\b{words.STOP}\b.{{0,20}}\b(?:sell|selling"
            rf"|sharing|sale of)\b.{{0,20}}\b{words.DATA}\b"
            rf"|\b{words.WITHDRAW}\b.{{0,70}}\b(?:third[- ]?part|partner"
            r"|affiliate|other compan|advertisers|outside compan|other business)|\b(?:don'?t|do not|dont"
            r"|never"
            rf"|no longer) want\b.{{0,25}}\b{words.DATA}\b.{{0,15}}\b{words.SHARE}\b.{{0,15}}\b{words.THIRD}"
            rf"|\b{words.STOP}\b.{{0,40}}\bthird[- ]?part(?:y|ies)\b.{{0,20}}\b(?:shar|provi|disclos|access)"
            r"|\bopt\w*[ -]?(?:me )?out\b.{0,25}\b(?:sharing|sale|third)|\b(?:don'?t|do not|dont"
            rf"|never) want\b.{{0,25}}\b{words.DATA}\b.{{0,15}}\b(?:sold|shared|passed|given|disclosed)"
            rf"|\bkeep\b.{{0,20}}\b{words.DATA}\b.{{0,20}}\b(?:private from|away from"
            rf"|from)\b.{{0,12}}\b{words.THIRD}"
        ),
        negative=True,
        possible=True,
    ),
    Rule(
        "marketing_withdrawal",
        _c(
            rf"\b{words.STOP}\b.{{0,50}}?\b{words.AD}|\b{words.AD}.{{0,30}}\b(?:off|no thanks?"
            r"|no more|stop|opt[- ]?out"
            r"|unsubscribe)\b|\b(?:un-?su[bs]?s?c?ri?be?"
            r"|unsub)\b(?! here)(?! (?:me )?from (?:\w+ ){0,2}(?:plan|subscription|membership|service"
            r"|premium|account|channel))|\bopt\w*[ -]?(?:me )?out\b|\bwant off\b.{0,15}\blists?\b"
            r"|\b(?:take|remove|get|drop|strike|leave|pull|keep|delete)\b.{0,25}\b(?:off|from"
            r"|out of)\b.{0,25}\b(?:lists?|newsletter|mailings?|marketing|promo\w*)"
        ),
        not_with=TRADE,
        negative=True,
        possible=True,
    ),
    Rule(
        "marketing_withdrawal",
        _c(
            r"\b(?:stop|quit|cease|don'?t|do not|dont|no more|no longer)\b.{0,20}\b(?:send\w*|get\w*"
            r"|receiv\w*|reciev\w*|with (?:the|these|all)|want\w*|wish|email\w*|text\w*"
            rf"|messag\w*)\b.{{0,25}}\b(?:me|{words.CONTACT})\b|\bstop (?:with )?(?:all |the |these |those "
            r"|your |any )*(?:e-?mails?|texts|messages|notifications)\b"
        ),
        not_with=_c(
            TRADE.pattern
            + (
                r"|\bcode|\breply|\banswer|\breceived|\bcalls?\b|\bmy (?:data|e-?mail|info|account)"
                r"|\bget (?:the|your|my|any|an)\b|\bto \w+@|\breceive the\b|\btell\b|\bhave\b"
            )
        ),
        negative=True,
    ),
    Rule(
        "marketing_withdrawal",
        _c(
            r"\b(?:too many|so many|keep getting|keep sending|keeps sending|keep receiving|still getting"
            rf"|still receiving|annoy\w*|tired|sick|fed up|flood\w*)\b.{{0,40}}\b{words.AD}"
            rf"|\b{words.AD}.{{0,40}}\b(?:annoy\w*|too many|too much|every ?day|constantly)\b"
        ),
        cap="likely",
        negative=True,
    ),
    Rule(
        "membership_withdrawal",
        _c(
            rf"\b(?:clos(?:e|ing)|{words.DELETE}|cancel(?:l?ing|lation of)?|terminat(?:e|ing"
            r"|ion of)|end(?:ing)?"
            r"|quit|shut(?:ting)?(?: down)?|discontinue|withdraw(?:ing)?(?: from)?|leave|leaving"
            rf"|deregister|unregister)\b.{{0,25}}?\b{words.ACCOUNT}\b|\b(?:leave|leaving|quit|resign from"
            r"|withdraw from|(?:remove|drop|take|strike) me (?:from|as a member of)|sign me out of"
            r"|withdrawal from)\b.{0,12}\b(?:moment ?pick|service|site|platform|membership|community"
            r"|app)\b|\bwant(?:ed)? (?:to leave|out)\b(?! (?:a|feedback|my|the|you|it|early))"
            r"|\bmembership (?:withdrawal|cancellation|termination)|\baccount (?:deletion|closure"
            r"|cancellation)|\b(?:unregister|deregister|resign|sign off"
            r"|withdraw) (?:me )?from (?:moment ?pick|your|the (?:site|service|platform|app))"
            r"|\bunregister me|\bderegister me|\bdelete me\b|\b(?:remove|drop|take"
            r"|strike) me as (?:a|your) member|\b(?:stop being|no longer (?:want|wish) to be"
            r"|don'?t want to be) a member"
        ),
        not_with=_c(
            r"\bgym\b|\bnetflix\b|\bleave (?:it|them|that|those|everything)\b|\bleave (?:a"
            r"|my) (?:review|message|comment)"
            r"|\bwanted to leave\b.{0,25}\b(?:last|yesterday|before|once|ago)\b"
            # something is to go from the account, not the account
            rf"|\b{words.DELETE}\b.{{1,40}}?\b(?:from|off|in|on) (?:my|the|our) (?:\w+ )?{words.ACCOUNT}"
        ),
    ),
    Rule(
        "membership_withdrawal",
        _c(rf"\bdeactivat\w+\b.{{0,20}}\b{words.ACCOUNT}\b|\bcancel\b.{{0,15}}\bsubscription"),
        cap="likely",
    ),
    Rule(
        "suspension",
        _c(
            rf"\b(?:use|using|usage|processing|handling)\b.{{0,30}}\b{words.DATA}.{{0,25}}\b(?:on hold|paused"
            r"|suspended|stopped|frozen|halted|ceased|restricted)|\b(?:put|place"
            rf"|keep)\b.{{0,15}}\b{words.DATA} on hold"
        ),
        not_with=_c(words.AD),
        negative=True,
    ),
    Rule(
        "suspension",
        _c(
            r"\b(?:put (?:a stop|an end) to|restrict\w*|suspend\w*|stop|paus\w*|halt|freez\w*"
            r"|no longer|not to|must not|cease|don'?t"
            r"|do not|hold off|block|limit)\b.{0,40}\b(?:process\w*|us(?:e|ing|age)|handling"
            rf"|analy[sz]\w+|profil\w+)\b.{{0,40}}\b{words.DATA}|\brestrict\w*\b.{{0,15}}\bprocessing"
            r"|\bobject\w*\b.{0,20}\bprocessing|\b(?:suspend|freeze|pause|restrict)\b.{0,20}\b(?:my"
            rf"|personal) {words.DATA}|\bprocessing\b.{{0,30}}\b(?:be )?(?:suspended|restricted|stopped"
            r"|paused)"
        ),
        not_with=_c(words.AD),
        negative=True,
    ),
    Rule(
        "suspension",
        _c(
            r"\b(?:do not|don'?t|stop|never)\b.{0,12}\bus(?:e|ing)\b my (?:\w+ ){0,2}"
            r"(?:number|phone|address|e-?mail|name|id|details|account)\b"
        ),
        not_with=_c(words.AD),
        cap="likely",
        negative=True,
    ),
    Rule(
        "erasure",
        _c(
            rf"\b{words.DELETE}\b.{{0,40}}?\b(?:my|all|any|personal|the)\b.{{0,30}}?\b{words.DATA}"
            r"|\bright to be forgotten|\bright to (?:erasure|deletion)|\bforget me\b"
            rf"|\b{words.DELETE}\b.{{0,20}}\b(?:everything|data) (?:you (?:have|hold|keep)|about me|on me)"
        ),
        not_with=_c(r"\b(?:cookies?|cache|app data)\b|" + words.AD),
    ),
    Rule(
        "erasure",
        _c(
            rf"\b{words.DELETE}\b.{{0,30}}\b(?:photos?|pictures?|images?|videos?|posts?|comments?|reviews?"
            r"|content|uploads?)\b|\btake down\b"
        ),
        cap="likely",
    ),
    Rule(
        "access",
        _c(
            rf"\b(?:copy|copies|cop of)\b.{{0,20}}\b{words.MY_DATA}|\bcopy of (?:everything|all"
            r"|whatever)\b.{0,40}|\b(?:access(?:ing)?|see|view|review|go over|look over|obtain"
            r"|download|look at|inspect"
            rf"|export)\b.{{0,20}}?\b(?:to )?{words.MY_DATA}|\b(?:subject|data) access request|\bd?sar\b"
            r"|\bright of access|\baccess request"
        ),
        not_with=_c(
            r"\bcan'?t (?:access|see|view|log)|\bunable to|\bcannot|\bprivacy policy|\b(?:his|her|their"
            r"|seller'?s?|buyer'?s?|other (?:users?|people)'?s?)\b.{0,12}\b(?:data|info|details)"
        ),
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:what|which|whatever|everything|all|any)\b.{0,45}\b(?:you|u|moment ?pick|the company"
            r"|your company|ya)\b.{0,25}\b(?:have|has|hold|holds|keep|keeps|store|stored|stores|collect\w*"
            r"|got|know|knows|retain\w*|process\w*|possess|gather\w*|kept)\b.{0,35}\b(?:about|on|of|for"
            r"|from|regarding|concerning) (?:me|mine)\b"
        ),
        not_with=_NOT_SEE,
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:what|which)\b.{0,25}\b(?:my"
            rf"|personal)\b.{{0,15}}\b{words.DATA}.{{0,25}}\b(?:have|hold|keep"
            rf"|store\w*|collect\w*|got|process\w*|retain)\b|\bwhat\b.{{0,15}}\b{words.DATA} (?:is|are"
            r"|do you) (?:stored|held|kept|have|hold|keep|store)\b.{0,30}\bmy\b"
        ),
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:send|supply|furnish|release|show|give|tell|provide|print|printout|forward"
            r"|email|disclose|list|share|get|have"
            r"|receive|want|need|like|request\w*|report|summary|overview|provided with|let me (?:see|know"
            r"|have))\b.{0,30}?\b(?:all|every|any|the|my|a list of|what) ?(?:of )?(?:the "
            rf"|my )?(?:personal )?{words.DATA}\b.{{0,20}}\b(?:you|that you|u|held|stored|kept"
            r"|collected|on file"
            r"|about me|on me|of me|which you|regarding me|concerning me)\b"
        ),
        not_with=_c(
            r"\b(?:updat|correct|chang|delet|eras|remov|stop|shar(?:e|ing) with|leak|breach|hack)\w*"
        ),
        possible=True,
    ),
    Rule(
        "access",
        _c(
            rf"\b(?:have|get) (?:a copy of )?all (?:of )?my (?:personal )?{words.DATA}\b|\b(?:send|show|give"
            r"|email|disclose|forward)\b (?:me |us )?(?:all )?(?:of )?my (?:personal |stored "
            rf"|own )?{words.DATA}\b(?! to\b)"
        ),
        not_with=_NOT_SEE,
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:who|whom|which (?:compan\w+|third part\w+|partners?)|what (?:compan\w+|third part\w+"
            rf"|partners?))\b.{{0,30}}\b{words.SHARE}\b.{{0,40}}\b(?:my|me)\b|\b(?:who|whom"
            r"|which (?:compan\w+"
            rf"|third part\w+|partners?))\b.{{0,20}}\bmy {words.DATA}\b.{{0,25}}\b{words.SHARE}"
            r"|\b(?:has|have|was|is"
            r"|were|did|do|are|whether"
            rf"|if)\b.{{0,20}}\bmy (?:personal )?{words.DATA}\b.{{0,20}}\b{words.SHARE}\b.{{0,25}}\b(?:to"
            rf"|with)\b.{{0,10}}{words.THIRD}"
        ),
        not_with=_c(
            r"\bnot\b|n't\b|\b(?:stop|withdraw|revok|object|cancel|refus|disagree|never)\w*\b"
        ),
        possible=True,
    ),
    Rule(
        "access",
        _c(
            rf"\b(?:what|which)\b.{{0,15}}\b{words.DATA}\b.{{0,20}}\b(?:i|we)(?:'?ve"
            r"| have)? (?:already )?(?:given|gave|provided|shared|submitted|entered|handed)|\b(?:what"
            rf"|which)\b.{{0,10}}\b(?:personal )?{words.DATA} (?:of mine|about me|on me|relating to me)"
        ),
        not_with=_NOT_SEE,
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:list|names?|which|what|tell me|every|disclose|identify"
            r"|reveal)\b.{0,20}\b(?:third part\w+|compan\w+|partners?"
            r"|organi[sz]ations|everyone|recipients)\b.{0,30}\b(?:received?|got|ha(?:s|ve|d)|obtained?"
            r"|given|sees?|seen)\b.{0,15}\bmy (?:personal )?(?:data|info\w*|details)"
        ),
        not_with=_NOT_SEE,
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:print ?out|summary|list|overview|report|record|breakdown"
            rf"|transcript)\b.{{0,20}}\b{words.DATA}\b.{{0,25}}\b(?:you|u|held|stored|kept|about me|on me)\b"
        ),
        not_with=_NOT_SEE,
        possible=True,
    ),
    Rule(
        "access",
        _c(
            r"\b(?:see|view|access|copy of|download|export|check|know about)\b.{0,15}\b(?:my|purchase"
            rf"|order|login|payment|consent)\b.{{0,15}}\b(?:{words.DATA}|histor\w+|logs?)"
        ),
        cap="likely",
    ),
    Rule(
        "access",
        _c(
            r"\b(?:has|have|was|were|is|are|did"
            rf"|do)\b.{{0,12}}\bmy\b.{{0,25}}\b{words.SHARE}\b.{{0,15}}\b(?:with|to)\b"
            r".{0,12}\b(?:any\w*|other|third|someone|who)\b"
        ),
        not_with=_c(
            r"\bnot\b|n't\b|\b(?:stop|withdraw|revok|object|cancel|refus|disagree|never|agree)\w*\b"
        ),
        possible=True,
    ),
    Rule(
        "portability",
        _c(
            r"\b(?:transfer|move|port|migrate) my (?:\w+ )?(?:profile|details|membership"
            r"|data) to (?!me\b|my\b|this\b|the\b|a\b|another\b)"
        ),
        not_with=_c(r"\b(?:stop|don'?t|do not|not|never|photos|email|phone|plan|folder)\b"),
        possible=True,
    ),
    Rule(
        "unclear",
        _c(
            r"\b(?:withdraw|revok|retract|cancel|take back|rescind|undo)\w*\b.{0,25}\b(?:consent|permission"
            r"|agreement)\b|\btak(?:e|ing)\b.{0,20}\b(?:consent|permission|agreement)\b.{0,6}\bback"
            r"|\btak(?:e|ing) back\b.{0,20}\b(?:consent|permission|agreement)|\bno longer (?:consent"
            r"|agree)\b|\bdo not consent\b|\bdon'?t consent\b"
        ),
        not_with=_c(rf"{words.AD}|{words.THIRD}"),
        negative=True,
    ),
)

# Cheap beginnings of words, one of which stands in every clause that a rule fits.
NAMED = _c(
    r"\b(?:data|info|record|detail|histor|every|file|profile|acco|acct|acc?ount|member|market|promo"
    r"|ad|news|spam|mail|e-?mail|commerc|special|offer"
    r"|deal|sale|junk|coupon|campaign|event|solic|text|messag|sms|notif|third|3rd|partner|compan"
    r"|other|affil|outsid|insur|broker|any|someone|buyer"
    r"|sponsor|un-?su|opt|list|leav|quit|want|process|forg|photo|pictur|image|video|post|comment"
    r"|review|content|upload|take down|cop|who|what|which"
    r"|consent|permission|agree|appeal|object|disput|contest|challeng|disagree|reconsider|revisit"
    r"|reopen|re-?exam|look again|decision|refus|reject"
    r"|den|turn|machine|port|csv|json|xml|excel|xls|spread|zip|export|transfer|download|delete me"
    r"|erasure|deletion|d?sar|access|log|me\b|freez"
    r"|restrict|suspend|stop|quit|cease|resign|withdraw|remove me|drop me|sign me|sub|dereg|unreg"
    r"|deactiv|subscr|all|us(?:e|ing|age))"
)
THIRD_TOPIC = re.compile(
    rf"\b(?:third[- ]?part|3rd[- ]?part)|\b{words.SHARE}\b.{{0,40}}\b{words.THIRD}\b"
)
AD_TOPIC = re.compile(rf"\b{words.AD}")
BOTH = re.compile(
    rf"{words.AD}.{{0,30}}(?:\band\b|\bor\b|&|,).{{0,40}}{words.THIRD}"
    rf"|{words.THIRD}.{{0,40}}(?:\band\b|\bor\b|&"
    rf"|,).{{0,30}}{words.AD}"
)
