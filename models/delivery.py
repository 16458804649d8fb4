"""What a server said of a letter of ours: arrived, late, refused for now or for good, and why.

A cause says two things apart: whether *this letter* will still arrive, and whether *the address* is
shown to be dead. A full mailbox is neither; a refused sender ends the letter and says nothing of the
address. Codes: RFC 5321 (4.2), RFC 3463 and the IANA registry of enhanced status codes; where servers
use a code for everything (5.7.1, 5.4.1, 5.0.0) their words decide. Patterns are bounded: linear time.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["delivery", "complaint"]
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")

MOST_WORDS = 4000


@dataclass(frozen=True, slots=True)
class Cause:
    """`dead`: the address itself is gone. `strike`: three of these within a week say so too."""

    name: str
    permanent: bool
    dead: bool = False
    strike: bool = False


CAUSES: dict[str, Cause] = {
    cause.name: cause
    for cause in (
        Cause("no_such_address", permanent=True, dead=True),
        Cause("no_such_domain", permanent=True, dead=True),
        Cause("address_closed", permanent=True, dead=True),
        Cause("mailbox_full", permanent=False, strike=True),
        Cause("greylisted", permanent=False),
        Cause("server_away", permanent=False, strike=True),
        Cause("too_large", permanent=True),
        Cause("policy", permanent=True),
        Cause("loop", permanent=True, strike=True),
        Cause("content", permanent=True),
        Cause("unknown", permanent=True, strike=True),
        Cause("complaint", permanent=False),
        # What the desk itself knows before it tries.
        Cause("known_dead", permanent=True),
        Cause("contested", permanent=True),
        Cause("no_address", permanent=True),
        Cause("not_taken", permanent=True, strike=True),
    )
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one letter on its way to one recipient."""

    cause: str
    permanent: bool
    dead: bool
    strike: bool


@dataclass(frozen=True, slots=True)
class Report:
    """One recipient of one delivery report, or a complaint about a letter.

    `message_ids` are those under which the report may name our letter, the likeliest first. `recipient`
    is lower-case, "" where none is named. `status` is an enhanced code (RFC 3463) or "". `words` is the
    server's answer without addresses, at most 200 letters.
    """

    kind: Kind
    message_ids: tuple[str, ...]
    recipient: str
    action: str
    status: str
    verdict: Verdict
    words: str = ""
    forwarded: bool = False  # the address that refused is another than the one that was written to

    @property
    def original_message_id(self) -> str:
        return self.message_ids[0] if self.message_ids else ""

    @property
    def permanent(self) -> bool:
        return self.verdict.permanent

    @property
    def returned(self) -> bool:
        """Whether the letter will not arrive by itself any more."""
        return self.action == "failed"


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


# The first that is found decides; the order is from what is surest to what is vaguest.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "mailbox_full",
        _any(
            r"(?:over|exceed\w{0,4}|out of) (?:\w{1,12} ){0,3}(?:quota|storage|disk space)",
            r"quota (?:is )?exceeded",
            r"mailbox (?:\S{1,80} )?(?:is |has )?(?:been )?(?:currently )?(?:full|too full|over "
            r"?quota|exceeded)",
            r"over ?quota",
            r"quotaexceeded",
            "insufficient (?:system |disk )?(?:storage|space)",
            "not enough (?:storage|disk)? ?space",
            "inbox is (?:full|too full|out of storage)",
            "(?:storage|disk|mailbox) (?:space )?(?:is )?full",
            "too (?:many|much) mail (?:messages |data )?(?:in|on)",
            "mailbox size limit",
            "disk quota",
            r"용량.{0,12}(?:초과|부족|가득)",
            r"(?:메일함|편지함|사서함|보관함).{0,20}(?:가득|꽉|초과|부족)",
            r"공간.{0,6}부족",
        ),
    ),
    (
        "greylisted",
        _any(
            r"gr[ae]y-?list",
            "please (?:try|retry) (?:again )?(?:later|in \\d)",
            "try again later",
            "temporarily (?:deferred|rejected|rate.?limited)",
            "too many (?:connections|messages|requests|errors)",
            "rate limit",
            r"일시적(?:으로|인)\s?(?:거부|제한|차단)",
            r"잠시\s?(?:후|뒤)에?\s?다시",
        ),
    ),
    (
        "too_large",
        _any(
            r"message (?:size |is )?(?:too (?:large|big|long)|exceeds)",
            "message file too big",
            r"size (?:limit )?exceed\w{0,3} (?:the )?(?:maximum|fixed|limit)",
            "(?:mail|message) size limit",
            r"(?:메일|메시지)\s?크기.{0,10}(?:초과|제한)",
        ),
    ),
    (
        "no_such_domain",
        _any(
            r"host (?:or domain name )?(?:unknown|not found)",
            r"domain (?:name )?(?:\S{1,80} )?(?:not found|does not exist|doesn'?t exist)",
            "unrout(?:e)?able (?:mail )?(?:address|domain)",
            "couldn'?t find any host named",
            r"\bnxdomain\b",
            "(?:bad|invalid|unknown|unresolv\\w{1,5}) (?:destination |recipient )?(?:mail "
            ")?(?:domain|host)",
            "no (?:valid )?(?:mx|mail) (?:record|host|server)s?",
            "does not accept (?:any )?(?:e?-?mail|messages)",
            "null ?mx",
            "name or service not known",
            "dns (?:error|type).{0,40}(?:not found|non-?existent|no data|no address)",
            r"도메인.{0,16}(?:없|찾을 수|존재하지|잘못)",
            r"(?:메일\s?)?서버를?\s?찾을 수\s?없",
        ),
    ),
    (
        "address_closed",
        _any(
            r"(?:account|mailbox|user|recipient|address|inbox)(?:'s)? (?:\S{1,80} )?(?:is |has "
            r"|has been |was )?(?:been )?(?:currently )?"
            "(?:disabled|deactivated|suspended|inactive|closed|locked|expired|terminated"
            "|discontinued|blocked from receiving)",
            "(?:disabled|inactive|deactivated|suspended) (?:recipient|account|mailbox|user|address)",
            "no longer (?:available|valid|active|in use|employed|works|accepts|on server|exists)",
            "has moved",
            "user (?:has )?left",
            "not (?:been )?(?:accepting|active)",
            r"휴면",
            r"(?:계정|아이디|메일함?|사용자).{0,12}(?:이용|사용)\s?(?:이|을)?\s?(?:정지|중지|제한)",
            r"(?:탈퇴|해지|비활성|폐쇄|삭제)(?:된|한|하신|되었|됐|\s?처리)",
            r"(?:사용|이용)하지\s?않는\s?(?:계정|주소|메일|아이디)",
        ),
    ),
    (
        "no_such_address",
        _any(
            r"(?:user|recipient|mailbox|address|account|alias|person|addressee|login|member)(?: "
            r"(?:name|address|account))?s? "
            r"(?:\S{1,80} )?(?:\(?\S{1,80}\)? )?(?:is |was |could ?n[o']t? be |can ?not be )?"
            r"(?:unknown|not ?found|not (?:a )?(?:known|valid|exist|listed|recogni[sz]ed"
            r"|registered|local)"
            r"|does ?n[o']t? ?(?:have|exist)|invalid|nonexist|non-exist|undeliverable|not exist)",
            r"(?:unknown|invalid|no such|non-?existent|bad|incorrect|wrong|illegal) (?:or "
            r"illegal |local |virtual |destination |email |e-mail |mail )?"
            r"(?:user|recipient|mailbox|address|account|alias|person|local.?part|member|name)",
            "(?:does not|doesn'?t) (?:exist|have an? (?:\\S{1,60} )?account)",
            r"no (?:such )?(?:mailbox|account|user) (?:here|by that name|with)?",
            "recip(?:ient)?notfound",
            r"resolver\.adr\.",
            "not our customer",
            "isn'?t (?:listed|a valid|in)",
            "was(?:n't| not) found at",
            "couldn'?t be found",
            r"address (?:not found|couldn'?t be found)",
            "undeliverable address",
            "there is no (?:one|such)",
            "we (?:do not|don'?t) (?:have|handle)",
            "not a (?:valid|known) (?:user|mailbox|recipient)",
            r"5\.4\.1 .{0,20}recipient address rejected: access denied",
            r"존재하지\s?않",
            r"(?:없는|잘못된|올바르지\s?않은|등록되지\s?않은|유효하지\s?않은"
            r"|알\s?수\s?없는)\s?(?:이메일\s?|메일\s?|수신\s?|회원\s?)?"
            "(?:계정|사용자|아이디|주소|수신자|수신인|메일|이름|회원)",
            r"(?:수신자|사용자|계정|아이디|주소|받는\s?사람).{0,24}(?:찾을\s?수\s?없|없습니다"
            r"|존재하지|올바르지|확인할\s?수\s?없|잘못)",
        ),
    ),
    (
        "policy",
        _any(
            "spam",
            r"\bblocked?\b",
            "block ?list",
            "black ?list",
            r"\brbl\b",
            "dnsbl",
            "reputation",
            "spamhaus",
            r"\bdmarc\b",
            r"\bspf\b",
            r"\bdkim\b",
            "access denied",
            "not (?:authori[sz]ed|permitted|allowed)",
            "(?:security|local|administrative|content|message) polic(?:y|ies)",
            "policy",
            "prohibit",
            "relay(?:ing)? (?:access )?denied",
            "unable to relay",
            "rejected (?:by|due|for|because)",
            "reverse dns",
            r"\bptr\b",
            "virus",
            "only accepts",
            "unsolicited",
            "administrat(?:or|ively) (?:\\w{1,10} )?(?:den|prohibit|reject)",
            "bulk mail",
            "sender (?:\\S{1,60} )?(?:rejected|denied|refused)",
            "suspicious",
            r"스팸",
            r"차단",
            r"수신\s?거부",
            r"정책",
            r"거부(?:되|하|했|됨|당)",
            r"허용되지",
        ),
    ),
    (
        "loop",
        _any(
            "too many hops",
            "hop count",
            "mail loop",
            r"routing loop",
            "loops? back",
            "too many received",
        ),
    ),
    (
        "server_away",
        _any(
            "timed? ?out",
            "time-?out",
            r"connection (?:refused|lost|reset|dropped|was (?:dropped|lost))",
            r"(?:could not|couldn'?t|can ?not|unable to) (?:connect|establish|reach)",
            "no route to host",
            "network (?:is )?unreachable",
            "temporar(?:y|ily)",
            "delivery (?:time )?expired",
            "message expired",
            "too long in (?:the )?queue",
            "retry time",
            "not respond",
            "retry timeout exceeded",
            "in the queue too long",
            "server (?:is )?(?:busy|down|unavailable)",
            "undelivered after",
            "giving up",
            r"시간.{0,6}초과",
            r"연결.{0,12}(?:없|실패|못)",
            r"응답.{0,8}(?:없|않)",
            r"일시적",
            r"접속.{0,8}(?:없|실패)",
        ),
    ),
)

# By subject and detail of an enhanced code. Those that servers use for everything are not here.
_BY_STATUS: dict[tuple[int, int], str] = {
    (1, 1): "no_such_address",
    (1, 2): "no_such_domain",
    (1, 3): "no_such_address",
    (1, 6): "address_closed",
    (1, 10): "no_such_domain",
    (2, 1): "address_closed",
    (2, 2): "mailbox_full",
    (2, 3): "too_large",
    (3, 4): "too_large",
    (4, 1): "server_away",
    (4, 2): "server_away",
    (4, 3): "server_away",
    (4, 4): "no_such_domain",
    (4, 5): "server_away",
    (4, 6): "loop",
    (4, 7): "server_away",
    (4, 14): "loop",
    (5, 2): "content",
    (6, 0): "content",
    (6, 1): "content",
    (6, 2): "content",
    (6, 3): "content",
    (6, 5): "content",
    (7, 25): "policy",
    (7, 26): "policy",
    (7, 27): "policy",
}
# Its own word against its code: these are believed whatever the code is.
_STRONG = frozenset({"mailbox_full", "greylisted", "too_large"})
# A code that says "gone" while the words say "you are not welcome": the address may live.
_DEAD_CODES = frozenset({"no_such_address", "address_closed"})
_VAGUE = frozenset({(1, 0), (1, 10), (4, 1), (2, 1), (4, 4)})
STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([245])(\d\d)(?=[ \-:#]|$)")


def judge(action: str, status: str, words: str) -> Verdict:
    """What a report means. `status` is an enhanced code or a bare reply code ("550"), may be empty."""
    if action == "delayed":
        return Verdict("server_away", permanent=False, dead=False, strike=False)
    if action in ("delivered", "relayed", "expanded"):
        return Verdict("", permanent=False, dead=False, strike=False)
    cause = CAUSES[cause_of(status, words)]
    temporary = status.startswith("4")
    return Verdict(
        cause.name,
        permanent=cause.permanent and not temporary,
        dead=cause.dead and not temporary,
        strike=cause.strike or (cause.dead and temporary),
    )


def cause_of(status: str, words: str) -> str:
    """The name of the cause, by the code where it is a clear one and by the words where it is not."""
    said = _said(words[:MOST_WORDS])
    code = STATUS.fullmatch(status)
    pair = (int(code[2]), int(code[3])) if code else (0, 0)
    by_code = _BY_STATUS.get(pair, "")
    if said in _STRONG or not by_code:
        return said or _by_class(pair, status)
    if by_code in _DEAD_CODES and said == "policy" and not _also_unknown(words):
        return "policy"
    if pair in _VAGUE and said:
        return said
    return by_code


def _said(words: str) -> str:
    return next((name for name, pattern in _WORDS if pattern.search(words)), "")


def _also_unknown(words: str) -> bool:
    return dict(_WORDS)["no_such_address"].search(words[:MOST_WORDS]) is not None


def _by_class(pair: tuple[int, int], status: str) -> str:
    """Where the words say nothing: security codes are policy, 4yz is for now, 552 is storage."""
    if pair[0] == 7:
        return "policy"
    if status == "552":
        return "mailbox_full"
    return "server_away" if status.startswith("4") else "unknown"


def code_in(words: str) -> str:
    """The enhanced code in a server's answer, else its reply code, else ""."""
    found = STATUS.search(words)
    if found:
        return found[0]
    reply = _REPLY.search(words)
    return reply[0] if reply else ""
