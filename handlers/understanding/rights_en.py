# ruff: noqa: E501 (patterns are data: one broken over lines is harder to read)
"""Rights in English, as data. Every pattern runs over one clause in lower case."""

import re
from dataclasses import dataclass

_DATA = r"(?:personal (?:data|info\w*|details)|data|infor?mation|infomation|info|records?|details|history|everything|files?|profile data)"
_MY_DATA = rf"(?:(?:my|our|all|any|the|of|personal|about me|on me|ur)\b.{{0,25}}\b{_DATA}|{_DATA}.{{0,40}}\b(?:about|on|of|for|regarding|concerning|relating to|related to|from) (?:me|mine)\b)"
_AD = r"(?:marketing|promo\w*|ads?\b|adverts?\b|advertis(?!er)\w*|newsletters?|news letters?|spam\w*|mailing list|mailings?|mailing|commercial|special offers?|offers|deals|sales (?:emails?|messages?|texts?)|junk|coupons?|campaigns?|event (?:emails?|messages?|texts?|alerts?|notifications?)|solicitation)"
_CONTACT = (
    r"(?:e-?mails?|texts?|messages?|sms|notifications?|messaging|emailing|texting|contacting)"
)
_THIRD = r"(?:third[- ]?part(?:y|ies)|3rd[- ]?part(?:y|ies)|partners?|other compan(?:y|ies)|other (?:business\w*|organi[sz]ations|firms|parties|people)|others|affiliates?|advertisers|outside|outsiders|insurers?|brokers?|anyone|anybody|someone else|buyers?|sponsors?)"
_SHARE = r"(?:going|reaching|ending up|leaking|flowing|shar(?:e|ed|ing)|provid(?:e|ed|ing)|provision|disclos(?:e|ed|ing|ure)|pass(?:ed|ing)?|sell(?:ing)?|sold|giv(?:e|en|ing)|hand(?:ed|ing)?|transfer(?:red|ring)?|send(?:ing)?|forward(?:ed|ing)?|suppl(?:y|ied|ying)|distribut\w+)"
_FILE = r"\b(?:csv|json|xml|xlsx?|excel|spreadsheet|(?:structured|portable|electronic|digital|reusable|common) (?:\w+ )?(?:format|form|file)|machine[- ]readable|(?:as|in) (?:a|one|some) (?:\w+ )?files?|export file|data file|zip)\b"
_MOVE = r"\b(?:transfer(?:red|ring)?|move|moved|moving|port|transmit(?:ted)?|send|sent|migrate|pass|hand over|forward|export)\b"
_ELSEWHERE = r"\b(?:to|over to|into|at) (?:\S+ ){0,4}?(?:another|different|new|other|competing|competitor'?s?|agency|provider|service|platform|marketplace|site|company|business)\b"
_STOP = r"(?:stop|quit|cease|halt|end|no more|don'?t|do not|dont|never|no longer|not|discontinue|withdraw\w*|revok\w*|cancel\w*|opt(?:ing|ed)?[ -]?(?:me )?out|object\w*|refus\w*|retract\w*|remov\w*|block|disable|turn off|switch off|take back|rescind\w*|enough|without|tired of|sick of|get rid of|unsubscribe|disagree|deny|decline|leave me out)"
_WITHDRAW = r"(?:withdraw\w*|revok\w*|retract\w*|cancel\w*|take back|rescind\w*|remov\w*|opt\w*[ -]?out|no longer|don'?t|do not|object\w*|refus\w*|decline|unsubscribe)"
_DELETE = r"(?:delet\w*|delte|eras\w*|remov(?:e|al|ing)|wip(?:e|ing)|destroy\w*|purg\w*|get rid of|scrub|forget|clear)"
_ACCOUNT = r"(?:(?<!bank )(?<!bank-)(?<!instagram )(?<!insta )(?<!kakao )(?<!kakaotalk )(?<!facebook )(?<!email )(?<!payout )(?<!settlement )(?:accoun?ts?|acc?ount|acct|membership|profile)(?! (?:number|no\b|holder|info|details|name|data|manager))(?!'s))"


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


TRADE = _TRADE = _c(
    r"\border\b|\borders\b|\binvoice|\breceipt\b|\bpurchase|\bbooking|\bdelivery\b(?! (?:address|location))|\bpayment|\brefund|\bsubscription fee|\bdownload limit|\blisting"
)

_NOT_SEE = _c(
    r"\b(?:delet|eras|remov|wip|destroy|purg|forget|get rid|stop|ceas|restrict|suspend|freez|withdraw)\w*\b"
)

RULES = (
    Rule("portability", _c(rf"{_FILE}.{{0,40}}\b{_DATA}|\b{_DATA}\b.{{0,50}}{_FILE}|\b(?:download|export)\w*\b.{{0,30}}\b(?:my|personal|account|member|about me)\b.{{0,20}}\b{_DATA}|{_MOVE}.{{0,30}}\bmy\b.{{0,20}}\b{_DATA}.{{0,30}}{_ELSEWHERE}|\b(?:transfer|move|port|migrate|transmit) (?:all )?(?:of )?my (?:\w+ ){{0,2}}{_DATA} to (?!me\b|my\b|this\b|the (?:bin|trash|address|email)|\S+@)|{_MOVE} (?:all )?(?:of )?my (?:\w+ ){{0,2}}{_DATA} (?:directly|straight|over|across)+ (?:over )?to (?!me\b|my\b|this\b)|\b(?:take|bring) (?:all )?(?:of )?my (?:\w+ )?{_DATA} (?:along |over )?(?:with me|to|elsewhere)|\bdata portability|\bexport (?:my|all my) (?:\w+ )?(?:data|profile|account|information|details|records?)"), not_with=_c(r"\b(?:stop|don'?t|do not|dont|not|never|no longer|withdraw|revoke|without|object|photos|pictures?|images?|videos?|orders?|invoices?|sales|receipts?)\b|\bcan'?t\b|\bpdf\b"), possible=True),
    Rule("portability", _c(rf"\b{_DATA}\b.{{0,12}}\bexported\b.{{0,40}}\b(?:another|other|different|new) (?:service|provider|company|platform|app)|\bexport\w*\b.{{0,20}}\b{_DATA}\b.{{0,40}}\b(?:another|other|different|new) (?:service|provider|company|platform|app)|\bport(?:ability|ing|able)\b|\bmachine[- ]readable|\b(?:transfer|move|port|transmit|send|migrate|export\w*)\b.{{0,20}}\b{_DATA}\b.{{0,25}}\bto (?:another|a different|a new|other|a competitor|the other|their|my other)\b"), possible=True),
    Rule("objection", _c(r"\bappeal(?:ing)?\b.{0,30}(?:decision|refusal|rejection|outcome|request|result|that|this)|\b(?:object|objection|objecting)\b.{0,25}(?:decision|refusal|rejection|outcome|result)|\b(?:disput|contest|challeng)\w+\b.{0,20}(?:decision|refusal|rejection|outcome|result|reply)|\bdisagree with (?:your|the|this|that) (?:decision|refusal|rejection|outcome|answer|result)|\breconsider\b.{0,30}(?:decision|refusal|request)|\b(?:review|revisit|reopen|re-?examine|look again at)\b.{0,25}(?:refusal|rejection|decision|denial)|\b(?:don'?t|do not|cannot|can'?t|won'?t|refuse to|not going to) (?:accept|agree (?:with|to))\b.{0,25}(?:decision|refusal|rejection|outcome|answer|denial|reasons?)|\b(?:rejected|refused|denied|turned down|declined)\b.{0,60}\b(?:reconsider|review|object|appeal|complain)\w*|\bobject\w*\b.{0,30}\b(?:rejected|refused|denied|turned down)"), negative=True),
    Rule("third_party_withdrawal", _c(rf"\b{_STOP}\b.{{0,60}}?\b{_SHARE}\b.{{0,50}}\b{_THIRD}\b|\b{_STOP}\b.{{0,20}}\b(?:sell|selling|sharing|sale of)\b.{{0,20}}\b{_DATA}\b|\b{_WITHDRAW}\b.{{0,70}}\b(?:third[- ]?part|partner|affiliate|other compan|advertisers|outside compan|other business)|\b(?:don'?t|do not|dont|never|no longer) want\b.{{0,25}}\b{_DATA}\b.{{0,15}}\b{_SHARE}\b.{{0,15}}\b{_THIRD}|\b{_STOP}\b.{{0,40}}\bthird[- ]?part(?:y|ies)\b.{{0,20}}\b(?:shar|provi|disclos|access)|\bopt\w*[ -]?(?:me )?out\b.{{0,25}}\b(?:sharing|sale|third)|\b(?:don'?t|do not|dont|never) want\b.{{0,25}}\b{_DATA}\b.{{0,15}}\b(?:sold|shared|passed|given|disclosed)|\bkeep\b.{{0,20}}\b{_DATA}\b.{{0,20}}\b(?:private from|away from|from)\b.{{0,12}}\b{_THIRD}"), negative=True, possible=True),
    Rule("marketing_withdrawal", _c(rf"\b{_STOP}\b.{{0,50}}?\b{_AD}|\b{_AD}.{{0,30}}\b(?:off|no thanks?|no more|stop|opt[- ]?out|unsubscribe)\b|\b(?:un-?su[bs]?s?c?ri?be?|unsub)\b(?! here)(?! (?:me )?from (?:\w+ ){{0,2}}(?:plan|subscription|membership|service|premium|account|channel))|\bopt\w*[ -]?(?:me )?out\b|\bwant off\b.{{0,15}}\blists?\b|\b(?:take|remove|get|drop|strike|leave|pull|keep|delete)\b.{{0,25}}\b(?:off|from|out of)\b.{{0,25}}\b(?:lists?|newsletter|mailings?|marketing|promo\w*)"), not_with=_TRADE, negative=True, possible=True),
    Rule("marketing_withdrawal", _c(rf"\b(?:stop|quit|cease|don'?t|do not|dont|no more|no longer)\b.{{0,20}}\b(?:send\w*|get\w*|receiv\w*|reciev\w*|with (?:the|these|all)|want\w*|wish|email\w*|text\w*|messag\w*)\b.{{0,25}}\b(?:me|{_CONTACT})\b|\bstop (?:with )?(?:all |the |these |those |your |any )*(?:e-?mails?|texts|messages|notifications)\b"), not_with=_c(_TRADE.pattern + r"|\bcode|\breply|\banswer|\breceived|\bcalls?\b|\bmy (?:data|e-?mail|info|account)|\bget (?:the|your|my|any|an)\b|\bto \w+@|\breceive the\b|\btell\b|\bhave\b"), negative=True),
    Rule("marketing_withdrawal", _c(rf"\b(?:too many|so many|keep getting|keep sending|keeps sending|keep receiving|still getting|still receiving|annoy\w*|tired|sick|fed up|flood\w*)\b.{{0,40}}\b{_AD}|\b{_AD}.{{0,40}}\b(?:annoy\w*|too many|too much|every ?day|constantly)\b"), cap="likely", negative=True),
    Rule("membership_withdrawal", _c(rf"\b(?:clos(?:e|ing)|{_DELETE}|cancel(?:l?ing|lation of)?|terminat(?:e|ing|ion of)|end(?:ing)?|quit|shut(?:ting)?(?: down)?|discontinue|withdraw(?:ing)?(?: from)?|leave|leaving|deregister|unregister)\b.{{0,25}}?\b{_ACCOUNT}\b|\b(?:leave|leaving|quit|resign from|withdraw from|(?:remove|drop|take|strike) me (?:from|as a member of)|sign me out of|withdrawal from)\b.{{0,12}}\b(?:moment ?pick|service|site|platform|membership|community|app)\b|\bwant(?:ed)? (?:to leave|out)\b(?! (?:a|feedback|my|the|you|it|early))|\bmembership (?:withdrawal|cancellation|termination)|\baccount (?:deletion|closure|cancellation)|\bunregister me|\bderegister me|\bdelete me\b|\b(?:remove|drop|take|strike) me as (?:a|your) member|\b(?:stop being|no longer (?:want|wish) to be|don'?t want to be) a member"), not_with=_c(r"\bgym\b|\bnetflix\b|\bleave (?:it|them|that|those|everything)\b|\bleave (?:a|my) (?:review|message|comment)")),
    Rule("membership_withdrawal", _c(rf"\bdeactivat\w+\b.{{0,20}}\b{_ACCOUNT}\b|\bcancel\b.{{0,15}}\bsubscription"), cap="likely"),
    Rule("suspension", _c(rf"\b(?:use|using|usage|processing|handling)\b.{{0,30}}\b{_DATA}.{{0,25}}\b(?:on hold|paused|suspended|stopped|frozen|halted|ceased|restricted)|\b(?:put|place|keep)\b.{{0,15}}\b{_DATA} on hold"), not_with=_c(_AD), negative=True),
    Rule("suspension", _c(rf"\b(?:put (?:a stop|an end) to|restrict\w*|suspend\w*|stop|paus\w*|halt|freez\w*|cease|don'?t|do not|hold off|block|limit)\b.{{0,40}}\b(?:process\w*|us(?:e|ing|age)|handling|analy[sz]\w+|profil\w+)\b.{{0,40}}\b{_DATA}|\brestrict\w*\b.{{0,15}}\bprocessing|\bobject\w*\b.{{0,20}}\bprocessing|\b(?:suspend|freeze|pause|restrict)\b.{{0,20}}\b(?:my|personal) {_DATA}|\bprocessing\b.{{0,30}}\b(?:be )?(?:suspended|restricted|stopped|paused)"), not_with=_c(_AD), negative=True),
    Rule("erasure", _c(rf"\b{_DELETE}\b.{{0,40}}?\b(?:my|all|any|personal|the)\b.{{0,30}}?\b{_DATA}|\bright to be forgotten|\bright to (?:erasure|deletion)|\bforget me\b|\b{_DELETE}\b.{{0,20}}\b(?:everything|data) (?:you (?:have|hold|keep)|about me|on me)"), not_with=_c(r"\b(?:cookies?|cache|app data)\b|" + _AD)),
    Rule("erasure", _c(rf"\b{_DELETE}\b.{{0,30}}\b(?:photos?|pictures?|images?|videos?|posts?|comments?|reviews?|content|uploads?)\b|\btake down\b"), cap="likely"),
    Rule("access", _c(rf"\b(?:copy|copies|cop of)\b.{{0,20}}\b{_MY_DATA}|\bcopy of (?:everything|all|whatever)\b.{{0,40}}|\b(?:access(?:ing)?|see|view|obtain|download|look at|inspect|export)\b.{{0,20}}?\b(?:to )?{_MY_DATA}|\b(?:subject|data) access request|\bd?sar\b|\bright of access|\baccess request"), not_with=_c(r"\bcan'?t (?:access|see|view|log)|\bunable to|\bcannot|\bprivacy policy|\b(?:his|her|their|seller'?s?|buyer'?s?|other (?:users?|people)'?s?)\b.{0,12}\b(?:data|info|details)"), possible=True),
    Rule("access", _c(r"\b(?:what|which|whatever|everything|all|any)\b.{0,45}\b(?:you|u|moment ?pick|the company|your company|ya)\b.{0,25}\b(?:have|has|hold|holds|keep|keeps|store|stored|stores|collect\w*|got|know|knows|retain\w*|process\w*|possess|gather\w*|kept)\b.{0,35}\b(?:about|on|of|for|from|regarding|concerning) (?:me|mine)\b"), not_with=_NOT_SEE, possible=True),
    Rule("access", _c(rf"\b(?:what|which)\b.{{0,25}}\b(?:my|personal)\b.{{0,15}}\b{_DATA}.{{0,25}}\b(?:have|hold|keep|store\w*|collect\w*|got|process\w*|retain)\b|\bwhat\b.{{0,15}}\b{_DATA} (?:is|are|do you) (?:stored|held|kept|have|hold|keep|store)\b.{{0,30}}\bmy\b"), possible=True),
    Rule("access", _c(rf"\b(?:send|show|give|tell|provide|print|printout|forward|email|disclose|list|share|get|have|receive|want|need|like|request\w*|report|summary|overview|provided with|let me (?:see|know|have))\b.{{0,30}}?\b(?:all|every|any|the|my|a list of|what) ?(?:of )?(?:the |my )?(?:personal )?{_DATA}\b.{{0,20}}\b(?:you|that you|u|held|stored|kept|collected|on file|about me|on me|of me|which you|regarding me|concerning me)\b"), not_with=_c(r"\b(?:updat|correct|chang|delet|eras|remov|stop|shar(?:e|ing) with|leak|breach|hack)\w*"), possible=True),
    Rule("access", _c(rf"\b(?:have|get) (?:a copy of )?all (?:of )?my (?:personal )?{_DATA}\b|\b(?:send|show|give|email|disclose|forward)\b (?:me |us )?(?:all )?(?:of )?my (?:personal |stored |own )?{_DATA}\b(?! to\b)"), possible=True),
    Rule("access", _c(rf"\b(?:who|whom|which (?:compan\w+|third part\w+|partners?)|what (?:compan\w+|third part\w+|partners?))\b.{{0,30}}\b{_SHARE}\b.{{0,40}}\b(?:my|me)\b|\b(?:who|whom|which (?:compan\w+|third part\w+|partners?))\b.{{0,20}}\bmy {_DATA}\b.{{0,25}}\b{_SHARE}|\b(?:has|have|was|is|were|did|do|are|whether|if)\b.{{0,20}}\bmy (?:personal )?{_DATA}\b.{{0,20}}\b{_SHARE}\b.{{0,25}}\b(?:to|with)\b.{{0,10}}{_THIRD}"), not_with=_c(r"\bnot\b|n't\b|\b(?:stop|withdraw|revok|object|cancel|refus|disagree|never)\w*\b"), possible=True),
    Rule("access", _c(rf"\b(?:what|which)\b.{{0,15}}\b{_DATA}\b.{{0,20}}\b(?:i|we)(?:'?ve| have)? (?:already )?(?:given|gave|provided|shared|submitted|entered|handed)|\b(?:what|which)\b.{{0,10}}\b(?:personal )?{_DATA} (?:of mine|about me|on me|relating to me)"), not_with=_NOT_SEE, possible=True),
    Rule("access", _c(r"\b(?:list|names?|which|what|tell me|every)\b.{0,20}\b(?:third part\w+|compan\w+|partners?|organi[sz]ations|everyone|recipients)\b.{0,30}\b(?:received?|got|ha(?:s|ve|d)|obtained?|given|sees?|seen)\b.{0,15}\bmy (?:personal )?(?:data|info\w*|details)"), not_with=_NOT_SEE, possible=True),
    Rule("access", _c(rf"\b(?:print ?out|summary|list|overview|report|record|breakdown|transcript)\b.{{0,20}}\b{_DATA}\b.{{0,25}}\b(?:you|u|held|stored|kept|about me|on me)\b"), not_with=_NOT_SEE, possible=True),
    Rule("access", _c(rf"\b(?:see|view|access|copy of|download|export|check|know about)\b.{{0,15}}\b(?:my|purchase|order|login|payment|consent)\b.{{0,15}}\b(?:{_DATA}|histor\w+|logs?)"), cap="likely"),
    Rule("unclear", _c(r"\b(?:withdraw|revok|retract|cancel|take back|rescind|undo)\w*\b.{0,25}\b(?:consent|permission|agreement)\b|\btak(?:e|ing)\b.{0,20}\b(?:consent|permission|agreement)\b.{0,6}\bback|\btak(?:e|ing) back\b.{0,20}\b(?:consent|permission|agreement)|\bno longer (?:consent|agree)\b|\bdo not consent\b|\bdon'?t consent\b"), not_with=_c(rf"{_AD}|{_THIRD}"), negative=True),
)  # fmt: skip

CHANGE = re.compile(
    r"\b(?:chang(?:e|ing)|chnage|chage|updat(?:e|ing)|updte|(?<!is )(?<!'s )(?<!are )(?<!the )(?<!be )(?<!not )(?<!was )(?<!its )correct(?:ion|ing|ed)?(?! me\b)|fix(?:ing)?|edit|amend(?:ing)?|modify|modified|replace|rectify|rectified|rectification|switch|revise|adjust|alter|set|swap|put (?:in|down)|(?<!the )(?<!any )(?<!all )(?<!of )use(?! of\b)|register|re-?register|make it|make my|put (?:my|it|the)|(?:be|get|have|want|like|need|needs|see)\b.{0,40}\b(?:changed|updated|corrected|fixed|amended|edited|rectified|switched)|to be|have my)\b"
)
CHANGE_ONLY = re.compile(
    r"^\W*(?:chang(?:e|ing)|updat(?:e|ing)|correct(?:ion|ing|ed)?|fix|amend|rectif\w+|edit|modif\w+|revise)"
)
WRONG = re.compile(
    r"\b(?:wrong\w*|incorrect\w*|mistyped|misspel\w*|mis-spel\w*|mispel\w*|typo|inaccurate|out of date|outdated|out-of-date|not right|isn'?t right|mistake|error|not correct|isn'?t correct|no longer (?:valid|correct|current|works?|mine|in use|active)|old one|obsolete|not my (?:current )?|invalid|spelled|spelt|should (?:be|read|say)|supposed to be|it'?s actually|is actually)\b"
)
# Tells what stands there; a wish only beside what should stand there.
STANDS = re.compile(
    r"\b(?:have me|has me|have my|says|listed as|shows? (?:up )?as|recorded as|registered as|down as|spelled as|entered as)\b"
)
# A heading: "Address update: …".
HEADING = re.compile(r"\b(?:update|change|correction|amendment)s?(?: request| needed| required)?\s*(?::|-\s)")
# It only seemed wrong, or is about one parcel.
FINE = re.compile(
    r"\bturns? out\b.{0,40}\b(?:fine|right|correct|ok|okay)\b|\bnever ?mind\b|\b(?:is|it'?s|are) (?:actually |all |perfectly )?(?:fine|correct|right)\b(?!.{0,30}\b(?:but|not|should)\b)"
    r"|\bredirect\b|\bthis (?:order|parcel|delivery)\b|\bmy (?:order|parcel)\b|\b(?:order|parcel) (?:#|no|number|\d)|\bi thought\b.{0,40}\bwrong\b"
)
NEWS = re.compile(
    r"\b(?:i(?:'ve| have)? (?:just |recently )?(?:moved|relocated|got (?:a )?(?:new|married)|married|switched|have a new|changed my)|my new|new (?:address|number|phone|email|e-mail|mobile|bank|account|name|surname|nickname|shipping)|has changed|have changed|was changed|changed to|is now|moved to|moving to|(?:phone|number|address|e-?mail|name|account|bank|surname|nickname|id|handle|username|interests|area|birthday)(?:'s|s)?(?: has| have| was)?(?: just| recently| now)? (?:changed|renamed)|we(?:'ve| have)? moved|we moved|got a new|new one|from now on|(?:different|another) (?:bank )?account|new (?:place|home|house|flat|apartment)|(?:changed|switched|swapped) (?:my )?(?:banks?|phones?|numbers?|e-?mails?|providers?|carriers?)|has now changed)\b"
)
DATA_WORD = re.compile(
    r"\b(?:my|personal|account|member|contact|registered|profile) (?:data|info\w*|details|record|profile)|\bmy (?:record|profile(?! (?:picture|photo|image|pic))|account)\b"
)

BEFORE_NEG = re.compile(
    r"\b(?:do not|don'?t|dont|does not|doesn'?t|did not|didn'?t|not|never|no need to|no intention (?:of|to)|no plans? to|without|rather than|instead of|won'?t|wouldn'?t|will not|would not|am not|isn'?t|can'?t imagine|nor|neither|no reason to|no wish to|no desire to|refuse to|rather not|against|refused to|refusal to|refusing to|rejected|declined(?: to)?|refusal of)\b(?! (?:forget|hesitate|only|just|sure how|yet been|delay|been able))(?P<gap>[^.;]*)$"
)
BEFORE_PAST = re.compile(
    r"\b(?:thanks|thank you|thx|thankful|(?<!be )grateful|(?<!would )(?<!d )appreciate)\b.{0,30}\b(?:for|you)\b.{0,20}$|\b(?:already|have just|had|has been|have been|was|were|been|got my|after (?:i|you|we)|when (?:i|you|we)(?! (?:sign|join|regist|creat))|since (?:i|you|we))\b.{0,25}$|\b(?:last|previous) (?:week|month|year|time)\b.{0,20}$"
)
MATCHED_PAST = re.compile(
    r"^(?:i |i've |we |you |you've )?(?:already )?(?:deleted|erased|removed|cancell?ed|closed|unsubscribed|withdrew|withdrawn|revoked|opted|terminated|updated|changed|corrected|suspended)\b"
)
PAST = re.compile(
    r"\b(?:i|we)(?:'ve| have| had)?\s?(?:already|just|recently|since|once)?\s?(?:deleted|erased|removed|cancell?ed|closed|unsubscribed|withdrew|withdrawn|revoked|opted out|terminated|asked|requested|told you|wrote|submitted|changed|updated|corrected)\b|\balready\b(?!\W*$)|\b(?:you|they)(?:'ve| have)? (?:already |just )?(?:deleted|removed|changed|updated|corrected|fixed|stopped|closed|sent)|\b(?:has|have|had) been (?:\w+ )?(?:deleted|removed|changed|updated|corrected|closed|processed)|\bwas (?:deleted|removed|changed|updated|corrected|closed)"
)
HYPO = re.compile(
    r"\bwhat happens\b|\bwhat would happen|\bwhat will happen|\bif (?:i|we|one|someone|you) (?!could|can|would|don'?t mind|please|wouldn'?t)|\bif (?:a|the) (?:user|member|person)|\bsuppos(?:e|ing)\b|\bin case\b|\bthinking (?:of|about)|\bthought (?:of|about)|\bconsider(?:ing|ed)\b|\bmight\b|\bmaybe\b|\bperhaps\b|\bwas going to|\bplan(?:ning)? to|\bbefore (?:i|deciding|deleting|closing)|\bwhen (?:i|you|a user|someone|people)\b(?! (?:first |initially |originally )?(?:sign|join|regist|made|creat|open|start))|\bunless\b|\bwhether\b|\bcurious\b|\bwonder\w* (?:what|how long|if (?:i|it|my|the|you (?:keep|store|delete)))|\bwould i\b|\bwill i\b|\bwill my\b|\bdo i (?:lose|still|get)\b|\bdoes (?:deleting|closing|unsubscribing|withdrawing|leaving)|\bno (?:rush|decision)|\bnot sure (?:if|whether)|\bhypothetical|\b(?:do|change|update|fix|delete|close|handle|edit) (?:it|this|that|them) myself|\bmyself\b"
)
HOWTO = re.compile(
    r"\bhow (?:do|can|could|would|should|to|does|might|may|would i|exactly)\b|\bhow'?s\b|\bhow \w+ing\b|\bexplain how|\bhow i (?:can|could|should)|\bwhere (?:do|can|could|should|would)\b|\bwhat (?:is|are|'s) the (?:process|procedure|steps?|way|best way|right way)|\bwhat'?s the (?:process|procedure|way)|\bsteps? (?:to|for)|\binstructions\b|\bguide me|\bis there (?:a|any|some) (?:way|option|button|setting|form|page)|\bprocedure|\bdo i (?:need|have) to|\bcan'?t (?:find|figure)|\bwhich (?:menu|button|page)"
)
REQUEST = re.compile(
    r"\bplease\b|\bpls\b|\bplz\b|\bpleas\b|\bkindly\b|\bi(?:'d| would) (?:really |also )?(?:like|love|appreciate|prefer|want)|\bi(?:'m| am) (?:asking|requesting|writing|withdrawing|revoking|exercising|opting|hereby|emailing|contacting|formally)|\bi (?:also |really |just |do |now |only )?(?:want|wanna|need|wish|request|ask|demand|require|hereby|withdraw|revoke|object|refuse|no longer|don'?t|do not|retract|decline|cancel|opt|insist|expect|choose|exercise)\b|\b(?:can|could|would|will) (?:you|u|ya|someone|somebody|anyone)\b|\bcould i\b|\bcan i\b|\bmay i\b|\blet me\b|\bi'd\b|\bwanna\b|\brequest(?:ing)?\b|\bwant to\b|\bwould be (?:great|nice|good)|\bneeds? to (?:be|stop|end|go)\b|\bhave to stop\b|\bi (?:\w+ )?(?:disagree|appeal|contest|dispute|challenge)\b|\bshould be\b|\bwould (?:really |also |very much )?(?:like|love|appreciate)\b|\bgrateful if|\bappreciate it if|\bif you could\b|\bi(?:'m| am) (?:done|leaving|quitting|closing|cancel?ling|taking|objecting|out)\b|\bi (?:only |just |really )?wanted\b|\bgrateful for\b|\bmake (?:it|them|this|that) stop\b|\bneeds? (?:to be )?\w+(?:ing|ed)\b|\bwould rather\b|\bi'll (?:take|have)\b|\bexercis(?:e|ing) my\b|\bunder (?:article|pipa|the)\b|\bi(?:'m| am) (?:not )?going to (?:ask|need|have)\b|\bhoping\b|\bi(?:'d| would) rather\b|\bcould (?:my|the|it|this|that|these|those|all)\b.{0,60}\bbe\b|\basap\b|\bdemand\b|\bim (?:asking|requesting)\b|\bwe (?:want|wish|would like|request)"
)
POSSIBLE = re.compile(
    r"\b(?:is it possible|am i able|can i|could i|may i|would it be possible|possible to|am i allowed|can my)\b"
)
QUESTION = re.compile(
    r"\?\s*$|^\W*(?:what|why|when|who|which|where|is|are|do|does|did|will|would|has|have)\b"
)
IMPERATIVE = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|ok|okay|so|also|and|then|just|now|yes|or|guys|there|team|moment|pick|sir|madam|again|anyway|therefore|immediately|hereby|finally|instead|thanks|thank you|first|firstly|second|secondly|third|thirdly|next|lastly|last|two things|three things|\d+|simply|plus|go ahead|one|two|three|both|yeah|look|listen)\W+){0,5}$"
)
# "send me …" before the words of a right of access
IMPERATIVE_SEE = re.compile(
    IMPERATIVE.pattern[:-1]
    + r"(?:send|show|give|tell|let|provide|list|share|e-?mail|forward|get|supply|prepare|print)?"
    r"(?: (?:me|us|out|over|through|with|of|know|have|see|a|an|the|full|complete|all|about|to|get))*\W*$"
)
PEOPLE = r"(?:friend|husband|wife|mother|mom|mum|dad|father|brother|sister|son|daughter|colleague|coworker|co-worker|boss|client|customer|grandmother|grandma|grandfather|partner|neighbou?r|buyer|seller|photographer|cousin|uncle|aunt|parents|child|kid|roommate|girlfriend|boyfriend|fianc\w+)"
OTHER = re.compile(
    rf"\b(?:my|our|a|the)(?: \w+)? {PEOPLE}s?(?:'s\b|\b(?!,? (?:and|lives|house|place)).{{0,25}}\b(?:said|says|told|wants?|wanted|asked|asks|would like|wrote|thinks?|needs?|wish\w*|account))|\bon behalf of\b|\b(?:he|she|they) (?:said|says|told|wants?|asked|wrote|would like)\b|\bsomeone (?:said|told|asked|wrote|else'?s)|\b(?:his|her|their) (?:account|data|email|address|phone|personal|information|info|name)\b"
)
FOLLOW_UP = re.compile(
    r"\b(?:still|yet|again|nothing (?:happened|changed)|any (?:news|update)|status)\b"
)
# Inside one match the sentence turned: "delete my photos, keep my account".
INNER_NEG = re.compile(
    r"[,;] ?(?:and |but )?not\b|\bbut not\b|\bexcept\b|\bnot (?:from|my|the)\b|\bkeep(?:ing)?\b(?!.{0,25}\b(?:from|send|getting|private|away))|\bremain\b|\brather than\b"
)
CALLED_OFF = re.compile(
    r"\b(?:cancel|withdraw|revoke|undo|disregard|ignore|forget(?: about)?|never ?mind|scrap|take back|retract|stop|reverse|drop)\b.{0,25}\b(?:request|application|deletion|cancellation|closure|unsubscription|opt[- ]?out)\b|\bnever ?mind\b|\bresubscribe|\bopt(?:ing)? (?:me )?(?:back )?in\b|\bchanged my mind"
)
CANNOT = re.compile(
    r"\b(?:(?:can'?t|cannot|can not|could ?n[o']t)(?! (?:remember|recall|think))|unable to(?! (?:remember|recall))|tried to|trying to|won'?t let me|doesn'?t let me|not able to|fails? to|does ?n[o']t work)\b"
)
SET_VERB = re.compile(r"^(?:use|set|put|register|make|to be|have my)")
THIRD_TOPIC = re.compile(rf"\b(?:third[- ]?part|3rd[- ]?part)|\b{_SHARE}\b.{{0,40}}\b{_THIRD}\b")
AD_TOPIC = re.compile(rf"\b{_AD}")
BOTH = re.compile(
    rf"{_AD}.{{0,30}}(?:\band\b|\bor\b|&|,).{{0,40}}{_THIRD}|{_THIRD}.{{0,40}}(?:\band\b|\bor\b|&|,).{{0,30}}{_AD}"
)
HOW_THAT = re.compile(
    r"^\W*(?:so |and |but )?how (?:do|can|could|should|would) i (?:go about )?(?:do(?:ing)? )?(?:that|this|it)\b|^\W*how\?|^\W*what (?:do|should) i (?:have|need)? ?(?:to )?do\b"
)
