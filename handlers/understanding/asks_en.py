"""English clauses put into one order: what is wished in the passive or the past reads as an order.

"I want my account closed", "my data must be deleted", "I'd be glad if you removed it" all become the
same words as "close my account", "delete my data", "remove it", so that rules see one form.
"""

import re

from subjectline.handlers.understanding.sieve import EVERY, LATIN

_FORMS = {
    "took": "take", "taken": "take", "sent": "send", "gave": "give", "given": "give", "made": "make",
    "put": "put", "set": "set", "withdrew": "withdraw", "withdrawn": "withdraw", "got": "get",
    "told": "tell",
    "let": "let", "stopped": "stop", "dropped": "drop", "wiped": "wipe", "removed": "remove",
    "deleted": "delete", "erased": "erase", "updated": "update", "changed": "change", "closed": "close",
    "replaced": "replace", "ceased": "cease", "cancelled": "cancel", "canceled": "cancel", "ended": "end",
    "unsubscribed": "unsubscribe", "revoked": "revoke", "terminated": "terminate", "corrected": "correct",
    "fixed": "fix", "amended": "amend", "suspended": "suspend", "restricted": "restrict", "paused": "pause",
    "frozen": "freeze", "transferred": "transfer", "moved": "move", "exported": "export", "shown": "show",
    "edited": "edit", "rectified": "rectify", "destroyed": "destroy", "purged": "purge", "cleared": "clear",
    "switched": "switch", "halted": "halt", "modified": "modify", "shut down": "shut down",
}  # fmt: skip
_DONE = (
    r"(?P<verb>stopped|dropped|wiped|removed|deleted|erased|updated|changed|closed|cancell?ed|ended|revoked"
    r"|terminated|corrected|fixed|amended|suspended|restricted|paused|frozen|transferred|exported|edited"
    r"|rectified|destroyed|purged|cleared|switched|halted|modified|shut down|withdrawn)\b"
)
_OBJECT = (
    r"(?P<object>(?:my|the|all|any|that|this|those|these|every\w*|whatever|our)\b[^,.;:]{0,70}?)"
)
_IF_YOU = re.compile(
    r"\b(?:appreciate|appreciated|grateful|glad|happy|great|nice|good|lovely|mind|love|thankful|helpful"
    r"|prefer|like)(?: it)?,? if (?:you|u|someone|somebody|your team) "
    r"(?:all |guys |could |would |can |please |kindly )*(?P<verb>\w+)"
)
_WANT = re.compile(
    rf"\b(?P<want>want|like|need|wish|prefer|demand|expect|ask for|would have) {_OBJECT} "
    rf"(?:to be |be |gets? |being )?(?:completely |permanently |fully |please )?{_DONE}"
)
_HAVE = re.compile(
    r"(?P<lead>^\W*(?:and |also |please |then )*|\b(?:to|please|can i|could i|may i|can you"
    r"|could you|would you) )"
    rf"(?:have|get) {_OBJECT} (?:completely |permanently )?{_DONE}"
)
_MUST = re.compile(
    r"^(?P<lead>\W*(?:(?:and|also|so|then|please|therefore|in that case|hi|hello|hey|team|dear"
    rf"|all|sir|madam)\W+)*){_OBJECT} "
    rf"(?:must|should|need to|needs to|has to|have to|ought to|are to|is to|shall)(?: please| now| all)? be "
    rf"(?:completely |permanently |fully )?{_DONE}"
)
_CAN = re.compile(
    rf"\b(?P<lead>can|could|may|would|will) {_OBJECT} (?:please |kindly )?be "
    rf"(?:completely |permanently |fully |please )?{_DONE}"
)


def in_order(text: str, may: int) -> str:
    """The clause with its wish as an order; a clause without such a wish as it is.

    `may`: what a look at the sentence, or at all of the clause, lets through.
    """
    for bit, pattern, change in _CHANGES:
        if may & bit:
            changed = pattern.sub(change, text)
            if changed is not text:
                text, may = changed, EVERY
    return text


def _wanted(match: re.Match[str]) -> str:
    return f"{match['want']} {_base(match['verb'])} {match['object']}"


def _please(match: re.Match[str]) -> str:
    return f"{match['lead']}please {_base(match['verb'])} {match['object']}"


def _base(verb: str) -> str:
    return _FORMS.get(verb) or (verb[:-2] if verb.endswith("ed") else verb)


def _could_you(match: re.Match[str]) -> str:
    return f"could you {_base(match['verb'])}"


def _can_you(match: re.Match[str]) -> str:
    """ "Can it be deleted?" only asks whether; "could it be deleted?" asks for it."""
    verb = _base(match["verb"])
    ask = match["lead"] != "can" or verb in ("update", "change", "correct", "fix", "amend")
    return f"could you {verb} {match['object']}" if ask else match[0]


_CHANGES = tuple(
    (LATIN.add(pattern), pattern, change)
    for pattern, change in (
        (_IF_YOU, _could_you),
        (_WANT, _wanted),
        (_HAVE, _please),
        (_MUST, _please),
        (_CAN, _can_you),
    )
)
