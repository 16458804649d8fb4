"""Where a free value stands in an English sentence."""

import re

_E = r"[\"']?"
_NEW = r"(?P<new>[^\n]{1,160}?)"
_OLD = r"(?P<old>[^\n]{1,120}?)"
_STOP = (
    r"(?:\)|[.!?]*\s*$|\s*[.!?]\s|,? (?:instead|please|pls|plz|thanks|thank you|thx|from now on"
    r"|and (?:please|also|then|i\b|stop|delete|remove|update|change|correct|my|the|let|send)|if (?:you"
    r"|possible)|because|since|as (?:soon|i\b|it|my)|so (?:that|please)|for me)\b)"
)
_NOT = r"(?: ?\(|,)? ?(?:(?:and )?not |instead of |rather than |(?:formerly|previously) )"
_WHERE = (
    r"(?:\s(?:on file|on record|in (?:my|your) (?:account|system|records?|profile|database)|on (?:my"
    r"|your) (?:account|system|records?|profile|file)|registered|you have(?: on file)?|for (?:my"
    r"|this) account|there|for me|that you have))*"
)

# On the text right behind the field's word.
AFTER = tuple(
    re.compile(r"^" + pattern, re.IGNORECASE)
    for pattern in (
        rf" (?:at|in) (?P<new>\d[^\n]{{4,100}}?){_STOP}",
        rf" (?:update|change|correction|amendment)(?: request)?\s*[:-]\s*{_E}{_NEW}{_E}(?:[.!]?\s*$|[.!]\s)",
        rf"{_WHERE}\s*:?\s*(?:to be changed |changed |updated "
        rf"|corrected )?from {_E}{_OLD}{_E} to {_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE}\s*:?\s*{_E}{_OLD}{_E}\s*(?:->|=>|→)\s*{_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE} (?:is|are|was|reads?|says|shows?(?: up)?|appears?)(?: currently| wrongly"
        r"| incorrectly| mistakenly)*(?: (?:listed|spelled|spelt|registered|recorded|written"
        r"|entered|saved|down|shown|set|misspelled|stored|given))?(?: (?:as|to"
        rf"|wrong as))? {_E}{_OLD}{_E},?(?: (?:but|and|when|while|whereas|though|which"
        r"|instead))+ (?:it |that |this |the correct (?:one|name|spelling) |my name |i(?:'m"
        r"| am) )?(?:'?s|should (?:be|read|say)|is actually|is really|is|ought to be|must be"
        rf"|needs to be|has to be|actually)(?: spelled)? {_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE} (?:should (?:be|read|say)|is now|is actually|is really|(?:has |have |was "
        r"|just )*changed to|needs to be|must be|ought to be|will be|has to be|is supposed to be"
        r"|is spelled|to be|should have been)(?: (?:changed|corrected|updated"
        rf"|set) to)? {_E}{_NEW}{_E}{_NOT}{_E}{_OLD}{_E}{_STOP}",
        rf"{_WHERE} (?:should (?:be|read|say)|is now|is actually|is really|(?:has |have |was "
        r"|just )*changed to|needs to be|must be|ought to be|will be|has to be|is supposed to be"
        rf"|should have been)(?: (?:changed|corrected|updated|set) to)? {_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE} is {_E}{_NEW}{_E}{_NOT}{_E}{_OLD}{_E}{_STOP}",
        rf"{_WHERE},? ?(?:to|into|as|with|so it (?:says|reads|is)|to say"
        rf"|to read) {_E}{_NEW}{_E}{_NOT}{_E}{_OLD}{_E}{_STOP}",
        rf"{_WHERE},? ?(?:to|into|as|with|so it (?:says|reads|is)|to say|to read) {_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE} is {_E}{_OLD}{_E},? (?:and|but) .{{0,25}}\b(?:change|update|correct|fix) (?:it"
        rf"|this|that) to {_E}{_NEW}{_E}{_STOP}",
        rf"{_WHERE} is (?:wrong|incorrect|misspell?ed|outdated|out of date|no longer (?:valid"
        r"|correct|current))(?: on \w+ \w+)?\s*[,:;-]*\s*(?:it |and |this |the (?:new|correct"
        r"|right) (?:one|\w+) )*(?:should (?:be|read)|is actually|is|'s|must be"
        rf"|needs to be) {_E}{_NEW}{_E}{_STOP}",
    )
)
STATED = re.compile(
    rf"^{_WHERE}(?:\s(?:please|pls|plz))?\s*(?:is|:|=|will be|would be|-)\s*{_E}{_NEW}{_E}{_STOP}",
    re.IGNORECASE,
)
NEW_MARK = re.compile(
    r"\b(?:new|correct|right|current|actual|updated|real|proper)(?: (?:home|legal|full|mobile"
    r"|shipping|delivery|married))?\s*$",
    re.IGNORECASE,
)
OLD_MARK = re.compile(r"\b(?:current|old|previous|existing)\s+(?:\w+ )?$", re.IGNORECASE)
LABEL = re.compile(r"^(?:\s(?:please|pls|plz))?\s*[:=]", re.IGNORECASE)
BEFORE = re.compile(
    r"(?:\b(?:use|put|set|make|register|add)\s+[\"']?(?P<new>[^\n,]{1,120}?)[\"']?\s+(?:as|for"
    r"|to be)\s+(?:my|the)\s+(?:new |correct )?$)"
    r"|(?:^\W*[\"']?(?P<new2>[^\n,]{1,80}?)[\"']?\s+is (?:now )?(?:my|the) (?:new|correct|current"
    r"|right|actual|real)\s*$)",
    re.IGNORECASE,
)
NEXT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:i'?d like|i would like|i want|i'?d prefer|i prefer|let'?s (?:use|go with)"
        r"|(?:please )?use|how about)"
        rf" (?!to\b|you\b|it\b)(?:it to be )?{_E}{_NEW}{_E}{_STOP}",
        rf"^\W*(?:it|that|this)(?:'s| is)? not {_E}{_OLD}{_E}[,;]? (?:it'?s|but|it is"
        rf"|it should be) {_E}{_NEW}{_E}{_STOP}",
        r"^\W*(?:please )?(?:change|correct|update|fix|set|amend) (?:it|this"
        rf"|that) from {_E}{_OLD}{_E} to {_E}{_NEW}{_E}{_STOP}",
        r"^\W*(?:(?:it|this|that|they|mine) (?:really |actually )?(?:should (?:be|read|say)"
        r"|is actually|needs to be|must be|ought to be|is now|is)|it'?s(?: now| actually)?|(?:the "
        r"|my )?(?:correct|new|right|actual|current|proper|updated) (?:one|version|spelling|value"
        r"|address|name|number|email)?\s?(?:is|:|should be)|should be|correct(?:ion)?:|new:"
        r"|(?:please |kindly |could you |can you )*(?:change|correct|update|fix|set|amend) (?:it"
        rf"|this|that) (?:to|as|with)) {_E}{_NEW}{_E}(?:{_NOT}{_E}{_OLD}{_E})?{_STOP}",
    )
)
OLD_LINE = re.compile(
    r"^\W*(?:old|before|current|from|previous|existing)(?: \w+)?\s*[:=]\s*(?P<old>.+)$",
    re.IGNORECASE,
)
NEW_LINE = re.compile(
    r"^\W*(?:new|after|to|correct|updated)(?: \w+)?\s*[:=]\s*(?P<new>.+?)(?:[,;]\s*(?:old|current"
    r"|before|previous)\b.*)?$",
    re.IGNORECASE,
)
KEEP = re.compile(
    r"^\s*(?:is (?:fine|correct|ok|okay|right|good|unchanged)|stays?|should stay|the same"
    r"|as (?:it )?is|can stay|remains?)",
    re.IGNORECASE,
)
_VERB = (
    r"\b(?:chang(?:e|ing)|chnage|chage|updat(?:e|ing)|updte|correct(?:ion)?(?: of| to)?|fix|edit|amend"
    r"|modify|replace|rectify|rectification(?: of)?|switch|revise|set|swap|alter|adjust|typo in"
    r"|error in|mistake in|misspell?ed)"
)
# The verb governs the field: "change my …", "correct the spelling of my …".
OBJECT_BEFORE = re.compile(_VERB + r"\b(?:\W+\w+){0,5}\W*$", re.IGNORECASE)
OBJECT_AFTER = re.compile(
    r"^(?:\s(?:on file|you have(?: on file| for me)?|in \w+ \w+|on \w+ \w+|listed))*\s*(?:is|are"
    r"|was|has|have|needs?|should|says|shows|contains?|isn'?t|doesn'?t)\b|^\s*(?:change|update"
    r"|correction)\b",
    re.IGNORECASE,
)
JOIN = re.compile(
    r"^\s*(?:and|,|&|/|,? and|or|as well as|plus|\+)\s*(?:also )?(?:my |the )?(?:new )?$",
    re.IGNORECASE,
)
IDENT = re.compile(r"^\s*(?:is|:)\s", re.IGNORECASE)
NOT_A_VALUE = re.compile(
    r"^(?:(?:please )?(?:change|update|correct|fix|amend|modify|switch)(?: it)?|changed\b.*|(?:a"
    r"|an|the|my|this|that|it|its?|be|me|you|wrong|incorrect|correct|right|out ?dated|old"
    r"|new|different|something else|another|one|as follows|below|the following|the (?:new|correct"
    r"|right|old|following|below) (?:one|address|name|number|email)?|a (?:new|different) (?:one"
    r"|\w+)|misspell?ed|out of date|no longer \w+|the one below|what|fine|here|in|by|now|deleted"
    r"|removed|erased|gone|private|hidden|corrected|kept|used|shared|sold|able|safe|sure|wiped"
    r"|cleared|public|there|done|true|ok|okay|good|better|available|visible|active|linked|verified"
    r"|sent.*|transferred.*|moved.*|exported.*|processed.*|stored.*|on file|stopped|suspended.*"
    r"|paused|changed|updated|reflect.*|match.*|include.*|avoid.*|make sure.*|receive.*|help.*"
    r"|get .*))$",
    re.IGNORECASE,
)
LEAD = re.compile(
    r"^(?:(?:under|now|actually|just|be|say|read|really|currently|:|the following:?)\s+)+",
    re.IGNORECASE,
)
TAIL = re.compile(
    r"(?:\s(?:thank you|thanks|please) (?:in|for|confirm|let|so).*|[\s,]*\b(?:please|pls|plz"
    r"|thanks|thank you|thx|instead|asap|as soon as possible"
    r"|from now on|on (?:my|your) (?:account|file|system|records?|profile)|in (?:my"
    r"|your) (?:account|system|records?|profile)|for me|ty|now|right away|then)\b[\s.!,]*)+$",
    re.IGNORECASE,
)
BEFORE_VALUE = re.compile(r"(?!)")
