"""English words for data, for advertising, for stopping and deleting: parts of patterns."""

DATA = (
    r"(?:personal (?:data|info\w*|details)|data|infor?mation|infomation|info|records?|details|history"
    r"|everything|files?|profile data)"
)
MY_DATA = (
    rf"(?:(?:my|our|all|any|the|of|personal|about me|on me|ur)\b.{{0,25}}\b{DATA}"
    rf"|{DATA}.{{0,40}}\b(?:about|on|of|for|regarding|concerning|relating to|related to|from) (?:me"
    r"|mine)\b)"
)
AD = (
    r"(?:marketing|promo\w*|ads?\b|adverts?\b|advertis(?!er)\w*|newsletters?|news letters?|spam\w*"
    r"|mailing list|mailings?|mailing|commercial|special offers?|offers|deals|sales (?:emails?"
    r"|messages?|texts?)|junk|coupons?|campaigns?|event (?:emails?|messages?|texts?|alerts?"
    r"|notifications?)|solicitation)"
)
CONTACT = r"(?:e-?mails?|texts?|messages?|sms|notifications?|messaging|emailing|texting|contacting)"
THIRD = (
    r"(?:third[- ]?part(?:y|ies)|3rd[- ]?part(?:y|ies)|partners?|other compan(?:y|ies)"
    r"|other (?:business\w*|organi[sz]ations|firms|parties|people)|others|affiliates?|advertisers"
    r"|outside|outsiders|insurers?|brokers?|anyone|anybody|someone else|buyers?|sponsors?)"
)
SHARE = (
    r"(?:going|reaching|ending up|leaking|flowing|shar(?:e|ed|ing)|provid(?:e|ed|ing)|provision"
    r"|disclos(?:e|ed|ing|ure)|pass(?:ed|ing)?|sell(?:ing)?|sold|giv(?:e|en|ing)|hand(?:ed|ing)?"
    r"|transfer(?:red|ring)?|send(?:ing)?|forward(?:ed|ing)?|suppl(?:y|ied|ying)|distribut\w+)"
)
FILE = (
    r"\b(?:csv|json|xml|xlsx?|excel|spreadsheet|(?:structured|portable|electronic|digital|reusable"
    r"|common) (?:\w+ )?(?:format|form|file)|machine[- ]readable|(?:as|in) (?:a|one"
    r"|some) (?:\w+ )?files?|export file|data file|zip)\b"
)
MOVE = (
    r"\b(?:transfer(?:red|ring)?|move|moved|moving|port|transmit(?:ted)?|send|sent|migrate|pass"
    r"|hand|give|deliver|hand over|forward|export)\b"
)
ELSEWHERE = (
    r"\b(?:to|over to|into|at) (?:\S+ ){0,4}?(?:another|different|new|other|competing|competitor'?s?"
    r"|agency|provider|service|platform|marketplace|site|company|business)\b"
)
STOP = (
    r"(?:stop|quit|cease|halt|end|no more|don'?t|do not|dont|never|no longer|not|discontinue"
    r"|withdraw\w*|revok\w*|cancel\w*|opt(?:ing|ed)?[ -]?(?:me )?out|object\w*|refus\w*|retract\w*"
    r"|remov\w*|block|disable|turn off|switch off|take back|rescind\w*|enough|without|tired of|sick of"
    r"|get rid of|unsubscribe|disagree|deny|decline|leave me out)"
)
WITHDRAW = (
    r"(?:withdraw\w*|revok\w*|retract\w*|cancel\w*|take back|rescind\w*|remov\w*|opt\w*[ -]?out"
    r"|no longer|don'?t|do not|object\w*|refus\w*|decline|unsubscribe)"
)
DELETE = (
    r"(?:delet\w*|delte|eras\w*|remov(?:e|al|ing)|wip(?:e|ing)|destroy\w*|purg\w*|get rid of|scrub"
    r"|forget|clear)"
)
ACCOUNT = (
    r"(?:(?<!bank )(?<!bank-)(?<!instagram )(?<!insta )(?<!kakao )(?<!kakaotalk )"
    r"(?<!facebook )(?<!email )(?<!payout )(?<!settlement )(?:accoun?ts?"
    r"|acc?ount|acct|membership|profile)(?! (?:number|no\b|holder|info|details|name|data"
    r"|manager))(?!'s))"
)
