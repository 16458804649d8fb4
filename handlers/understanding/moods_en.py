"""How English asks, supposes, denies and reports, as data. Patterns run over one clause in lower case."""

import re

TRADE = re.compile(
    r"\border\b|\borders\b|\binvoice|\breceipt\b|\bpurchase|\bbooking|\bdelivery\b(?! (?:address"
    r"|location))|\bpayment|\brefund|\bsubscription fee|\bdownload limit|\blisting"
)

CHANGE = re.compile(
    r"\b(?:chang(?:e|ing)|chnage|chage|updat(?:e|ing)|updte"
    r"|(?<!is )(?<!'s )(?<!are )(?<!the )(?<!be )(?<!not )(?<!was )(?<!its )(?<!my )(?<!your )correct(?:ion"
    r"|ing"
    r"|ed)?(?! me\b)|fix(?:ing)?|edit|amend(?:ing)?|modify|modified|replace|rectify|rectified"
    r"|rectification|switch|revise|adjust|alter|set|swap|put (?:in|down)"
    r"|(?<!the )(?<!any )(?<!all )(?<!of )use(?! of\b)|register|re-?register|make it|make my"
    r"|put (?:my|it|the)|(?:be|get|have|want|like|need|needs|see)\b.{0,40}\b(?:changed|updated"
    r"|corrected|fixed|amended|edited|rectified|switched)|to be|add\b(?=.{0,40}\b(?:as|to) my\b)"
    r"|(?:record|list|enter|note|log"
    r"|mark|write|save|store)\b(?=.{0,40}\bas\b))\b"
)
CHANGE_ONLY = re.compile(
    r"^\W*(?:chang(?:e|ing)|updat(?:e|ing)|correct(?:ion|ing|ed)?|fix|amend|rectif\w+|edit|modif\w+|revise)"
)
WRONG = re.compile(
    r"\b(?:wrong\w*|incorrect\w*|mistyped|misspel\w*|mis-spel\w*|mispel\w*|typo|inaccurate"
    r"|out of date|outdated|out-of-date|not right|isn'?t right|mistake|error|not correct"
    r"|isn'?t correct|no longer (?:valid|correct|current|works?|mine|in use|active)|old one"
    r"|obsolete|not my (?:current )?|invalid|spelled|spelt|should (?:be|read|say)|supposed to be"
    r"|it'?s actually|is actually)\b"
)
# Tells what stands there; a wish only beside what should stand there.
STANDS = re.compile(
    r"\byou(?:'ve)? (?:have|got|hold)(?: \w+ \w+)? is\b|\bon file is\b|\byour (?:records?|form"
    r"|system|page)\b.{0,12}\b(?:say|show|list|read)|\bis\b.{1,60},? (?:and )?not\b|\b(?:isn'?t"
    r"|is not|no longer)\b.{1,60}\b(?:it'?s|it is|but)\b"
    r"|\b(?:have me|has me|have my|says|listed as|shows? (?:up )?as|recorded as|registered as"
    r"|down as|spelled as|entered as)\b"
)
# A heading: "Address update: …".
HEADING = re.compile(
    r"\b(?:update|change|correction|amendment)s?(?: request| needed| required)?\s*(?::|-\s)"
)
# It only seemed wrong, or is about one parcel.
FINE = re.compile(
    r"\bturns? out\b.{0,40}\b(?:fine|right|correct|ok|okay)\b|\bnever ?mind\b|\b(?:is|it'?s"
    r"|are) (?:actually |all |perfectly )?(?:fine|correct|right)\b(?!.{0,30}\b(?:but|not|should)\b)"
    r"|\bredirect\b|\bthis (?:order|parcel|delivery)\b|\bmy (?:order|parcel)\b|\b(?:order"
    r"|parcel) (?:#|no|number|\d)|\bi thought\b.{0,40}\bwrong\b"
)
NEWS = re.compile(
    r"\b(?:i(?:'ve| have)? (?:just |recently )?(?:moved|relocated|got (?:a )?(?:new|married)"
    r"|married|switched|have a new|changed my)|my new|new (?:address|number|phone|email|e-mail"
    r"|mobile|bank|account|name|surname|nickname|shipping)|has changed|have changed|was changed"
    r"|changed to|is now|moved to|moving to|(?:phone|number|address|e-?mail|name|account|bank"
    r"|surname|nickname|id|handle|username|interests|area|birthday)(?:'s|s)?(?: has| have"
    r"| was)?(?: just| recently| now)? (?:changed|renamed)|we(?:'ve| have)? moved|we moved"
    r"|got a new|new one|(?:is|are) (?:now )?(?:changing|moving|switching) to|from now on"
    r"|future (?:parcels?|orders?|deliver\w+|mail|post)"
    r"|(?:different|another) (?:bank )?account|new (?:place|home"
    r"|house|flat|apartment)|(?:changed|switched|swapped) (?:my )?(?:banks?|phones?|numbers?"
    r"|e-?mails?|providers?|carriers?)|has now changed)\b"
)
DATA_WORD = re.compile(
    r"\b(?:my|personal|account|member|contact|registered|profile) (?:data|info\w*|details|record"
    r"|profile)|\bmy (?:record|profile(?! (?:picture|photo|image|pic))|account)\b"
)

BEFORE_NEG = re.compile(
    r"\b(?:do not|don'?t|dont|does not|doesn'?t|did not|didn'?t|not|never|no need to"
    r"|no intention (?:of|to)|no plans? to|without|rather than|instead of|won'?t|wouldn'?t|will not"
    r"|would not|am not|isn'?t|can'?t imagine|nor|neither|no reason to|no wish to|no desire to"
    r"|refuse to|rather not|against|refused to|refusal to|refusing to|rejected|declined(?: to)?"
    r"|refusal of)\b(?! (?:forget|hesitate|only|just|sure how|yet been|delay"
    r"|been able))(?P<gap>[^.;]*)$"
)
BEFORE_PAST = re.compile(
    r"\b(?:thanks|thank you|thx|thankful|(?<!be )grateful"
    r"|(?<!would )(?<!d )appreciate)\b.{0,30}\b(?:for|you)\b.{0,20}$|\b(?:already|have just|had"
    r"|has been|have been|was|were|been|got my|after (?:i|you|we)|when (?:i|you|we)(?! (?:sign|join"
    r"|regist|creat))|since (?:i|you|we))\b.{0,25}$|\b(?:last|previous) (?:week|month|year"
    r"|time)\b.{0,20}$"
)
MATCHED_PAST = re.compile(
    r"^(?:i |i've |we |you |you've )?(?:already )?(?:deleted|erased|removed|cancell?ed|closed"
    r"|unsubscribed|withdrew|withdrawn|revoked|opted|terminated|updated|changed|corrected"
    r"|suspended)\b"
)
PAST = re.compile(
    r"\b(?:i|we)(?:'ve| have| had)?\s?(?:already|just|recently|since|once)?\s?(?:deleted|erased"
    r"|removed|cancell?ed|closed|unsubscribed|withdrew|withdrawn|revoked|opted out|terminated|asked"
    r"|requested|told you|wrote|submitted|changed|updated|corrected)\b|\balready\b(?!\W*$)|\b(?:you"
    r"|they)(?:'ve| have)? (?:already |just )?(?:deleted|removed|changed|updated|corrected|fixed"
    r"|stopped|closed|sent)|\b(?:has|have|had) been (?:\w+ )?(?:deleted|removed|changed|updated"
    r"|corrected|closed|processed)|\bwas (?:deleted|removed|changed|updated|corrected|closed)"
)
HYPO = re.compile(
    r"\b(?:i|we) may\b(?! (?:please|i\b))|\bwhat happens\b|\bwhat would happen|\bwhat will happen"
    r"|\bif (?:i|we|one|someone"
    r"|you) (?!could|can|would|don'?t mind|please|wouldn'?t)|\bif (?:a|the) (?:user|member|person)"
    r"|\bsuppos(?:e|ing)\b|\bin case\b|\bthinking (?:of|about)|\bthought (?:of|about)"
    r"|\bconsider(?:ing|ed)\b|\bmight\b|\bmaybe\b|\bperhaps\b|\bwas going to|\bplan(?:ning)? to"
    r"|\bbefore (?:i|deciding|deleting|closing)|\bwhen (?:i|you|a user|someone"
    r"|people)\b(?! (?:first |initially |originally )?(?:sign|join|regist|made|creat|open|start))"
    r"|\bunless\b|\bwhether\b|\bcurious\b|\bwonder\w* (?:what|how long|if (?:i|it|my|the"
    r"|you (?:keep|store|delete)))|\bwould i\b|\bwill i\b|\bwill my\b|\bdo i (?:lose|still|get)\b"
    r"|\bdoes (?:deleting|closing|unsubscribing|withdrawing|leaving)|\bno (?:rush|decision)"
    r"|\bnot sure (?:if|whether)|\bhypothetical|\b(?:do|change|update|fix|delete|close|handle"
    r"|edit) (?:it|this|that|them) myself|\bmyself\b"
)
HOWTO = re.compile(
    r"\bhow (?:do|can|could|would|should|to|does|might|may|would i|exactly)\b|\bhow'?s\b"
    r"|\bhow \w+ing\b|\bexplain how|\bhow i (?:can|could|should)|\bwhere (?:do|can|could|should"
    r"|would)\b|\bwhat (?:is|are|'s) the (?:process|procedure|steps?|way|best way|right way)"
    r"|\bwhat'?s the (?:process|procedure|way)|\bsteps? (?:to|for)|\binstructions\b|\bguide me"
    r"|\bis there (?:a|any|some) (?:way|option|button|setting|form|page)|\bprocedure|\bdo i (?:need"
    r"|have) to|\bcan'?t (?:find|figure)|\bwhich (?:menu|button|page)"
)
REQUEST = re.compile(
    r"\bplease\b|\bpls\b|\bplz\b|\bpleas\b|\bkindly\b|\bi(?:'d| would) (?:really |also )?(?:like"
    r"|love|appreciate|prefer|want)|\bi(?:'m| am) (?:asking|requesting|writing|withdrawing|revoking"
    r"|exercising|opting|hereby|emailing|contacting|formally)|\bi (?:also |really |just |do |now "
    r"|only )?(?:want|wanna|need|wish|request|ask|demand|require|hereby|withdraw|revoke|object"
    r"|refuse|no longer|don'?t|do not|retract|decline|cancel|opt|insist|expect|choose|exercise)\b"
    r"|\b(?:can|could|would|will) (?:you|u|ya|someone|somebody|anyone)\b|\bcould i\b|\bcan i\b"
    r"|\bmay i\b|\blet me\b|\bi'd\b|\bwanna\b|\brequest(?:ing)?\b|\bwant to\b|\bwould be (?:great"
    r"|nice|good)|\bneeds? to (?:be|stop|end|go)\b|\bhave to stop\b|\bi (?:\w+ )?(?:disagree|appeal"
    r"|contest|dispute|challenge)\b|\b(?:should|must|has to|have to) be\b|\b(?:not to be|must not"
    r"|may not|should not|shouldn'?t|mustn'?t)\b|\bwould (?:really "
    r"|also |very much )?(?:like|love"
    r"|appreciate)\b|\bgrateful if|\bappreciate it if|\bif you could\b|\bi(?:'m| am) (?:done"
    r"|leaving|quitting|closing|cancel?ling|taking|objecting|out)\b|\bi (?:only |just "
    r"|really )?wanted\b|\bgrateful for\b|\bmake (?:it|them|this|that) stop\b"
    r"|\bneeds? (?:to be )?\w+(?:ing|ed)\b|\bwould rather\b|\bi'll (?:take|have)\b|\bexercis(?:e"
    r"|ing) my\b|\bunder (?:article|pipa|the)\b|\bi(?:'m| am) (?:not )?going to (?:ask|need|have)\b"
    r"|\bhoping\b|\bi(?:'d| would) rather\b|\bcould (?:my|the|it|this|that|these|those"
    r"|all)\b.{0,60}\bbe\b|\basap\b|\bdemand\b|\bim (?:asking|requesting)\b|\bwe (?:want|wish"
    r"|would like|request)"
)
POSSIBLE = re.compile(
    r"\b(?:is it possible|am i able|can i|could i|may i|would it be possible|possible to"
    r"|am i allowed|can my)\b"
)
QUESTION = re.compile(
    r"\?\s*$|^\W*(?:what|why|when|who|which|where|is|are|do|does|did|will|would|has|have)\b"
)
IMPERATIVE = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|ok|okay|so|also|and|then|just|now|yes|or|guys|there|team|moment"
    r"|pick|sir|madam|again|anyway|therefore|immediately|hereby|finally|instead|thanks|thank you"
    r"|first|firstly|second|secondly|third|thirdly|next|lastly|last|two things|three things|\d+"
    r"|simply|plus|go ahead|one|two|three|both|yeah|look|listen)\W+){0,5}$"
)
# "send me …" before the words of a right of access
IMPERATIVE_SEE = re.compile(
    IMPERATIVE.pattern[:-1]
    + r"(?:send|show|give|tell|let|provide|list|share|e-?mail|forward|get|supply|prepare|print)?"
    r"(?: (?:me|us|out|over|through|with|of|know|have|see|a|an|the|full|complete|all|about|to|get))*\W*$"
)
PEOPLE = (
    r"(?:friend|husband|wife|mother|mom|mum|dad|father|brother|sister|son|daughter|colleague|coworker"
    r"|co-worker|boss|client|customer|grandmother|grandma|grandfather|partner|neighbou?r|buyer|seller"
    r"|photographer|cousin|uncle|aunt|parents|child|kid|roommate|girlfriend|boyfriend|fianc\w+)"
)
OTHER = re.compile(
    rf"\b(?:my|our|a|the)(?: \w+)? {PEOPLE}s?(?:'s\b|\b(?!,? (?:and|lives|house"
    r"|place)).{0,25}\b(?:said|says|told|wants?|wanted|asked|asks|would like|wrote|thinks?"
    r"|needs?|wish\w*|account))|\bon behalf of\b|\b(?:he|she|they) (?:said|says|told|wants?|asked"
    r"|wrote|would like)\b|\bsomeone (?:said|told|asked|wrote|else'?s)|\b(?:his|her"
    r"|their) (?:account|data|email|address|phone|personal|information|info|name)\b"
)
FOLLOW_UP = re.compile(
    r"\b(?:still|yet|again|nothing (?:happened|changed)|any (?:news|update)|status)\b"
)
# Inside one match the sentence turned: "delete my photos, keep my account".
INNER_NEG = re.compile(
    r"[,;] ?(?:and |but )?not\b|\bbut not\b|\bexcept\b|\bnot (?:from|my|the)\b"
    r"|\bkeep(?:ing)?\b(?!.{0,25}\b(?:from|send|getting|private|away))|\bremain\b|\brather than\b"
)
CALLED_OFF = re.compile(
    r"\b(?:cancel|withdraw|revoke|undo|disregard|ignore|forget(?: about)?|never ?mind|scrap"
    r"|take back|retract|stop|reverse|drop)\b.{0,25}\b(?:request|application|deletion|cancellation"
    r"|closure|unsubscription|opt[- ]?out)\b|\bnever ?mind\b|\bresubscribe"
    r"|\bopt(?:ing)? (?:me )?(?:back )?in\b|\bchanged my mind"
)
CANNOT = re.compile(
    r"\b(?:(?:can'?t|cannot|can not|could ?n[o']t)(?! (?:remember|recall|think))"
    r"|unable to(?! (?:remember|recall))|tried to|trying to(?! (?:get my|understand|find|figure"
    r"|work|see|check|remember|learn))|won'?t let me|doesn'?t let me"
    r"|not able to|fails? to|does ?n[o']t work)\b"
)
SET_VERB = re.compile(
    r"^(?:use|add|set|put|register|make|to be|record|list|enter|note|log|mark|write|save|store)"
)
HOW_THAT = re.compile(
    r"^\W*(?:so |and |but )?how (?:do|can|could|should"
    r"|would) i (?:go about )?(?:do(?:ing)? )?(?:that|this|it)\b|^\W*how\?|^\W*what (?:do"
    r"|should) i (?:have|need)? ?(?:to )?do\b"
)
