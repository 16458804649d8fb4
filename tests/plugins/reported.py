"""The table of delivery reports: what to build, and what must be read out of it."""

from dataclasses import dataclass

from returned import (
    UNKNOWN,
    Build,
    dsn,
    exchange,
    exim,
    exim_waiting,
    gmail,
    korean,
    korean_late,
    postfix_plain,
    qmail,
)


@dataclass(frozen=True)
class Case:
    """One report and what it means. `cause` is empty where the letter is not lost."""

    name: str
    build: Build
    cause: str
    action: str = "failed"
    permanent: bool = True
    dead: bool = False
    status: str | None = None


def _dsn(status: str, words: str = "", **more: str) -> Build:
    return lambda message_id, to: dsn(message_id, to, status=status, words=words, **more)


def _korean(why: str, **more: str) -> Build:
    return lambda message_id, to: korean(message_id, to, why, **more)


REPORTS: tuple[Case, ...] = (
    Case("postfix, unknown user", dsn, "no_such_address", dead=True, status="5.1.1"),
    Case(
        "the whole letter returned",
        _dsn("5.1.1", UNKNOWN, copy="message/rfc822"),
        "no_such_address",
        dead=True,
    ),
    Case("no words, only a code", _dsn("5.1.1"), "no_such_address", dead=True),
    Case(
        "no such domain",
        _dsn("5.4.4", "Host or domain name not found. Name service error for name=memberr.example"),
        "no_such_domain",
        dead=True,
    ),
    Case(
        "account suspended",
        _dsn("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled."),
        "address_closed",
        dead=True,
    ),
    Case(
        "a vague code, a clear answer",
        _dsn("5.0.0", "550 5.1.1 no such user"),
        "no_such_address",
        dead=True,
        status="5.1.1",
    ),
    Case(
        "mailbox full for now",
        _dsn("4.2.2", "452 4.2.2 The recipient's inbox is out of storage space"),
        "mailbox_full",
        permanent=False,
    ),
    Case(
        "mailbox full, given up",
        _dsn("5.2.2", "552 5.2.2 Mailbox full"),
        "mailbox_full",
        permanent=False,
    ),
    Case(
        "greylisted to the end",
        _dsn(
            "4.2.0",
            "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see https://help.example",
        ),
        "greylisted",
        permanent=False,
    ),
    Case(
        "server away for five days",
        _dsn("4.4.1", "connect to mx.member.example[192.0.2.8]:25: Connection timed out"),
        "server_away",
        permanent=False,
    ),
    Case(
        "expired in the queue",
        _dsn("5.4.7", "delivery time expired"),
        "server_away",
        permanent=False,
    ),
    Case(
        "late",
        _dsn(
            "4.4.1",
            "Connection timed out",
            action="delayed",
            subject="Delayed Mail (still being retried)",
        ),
        "server_away",
        "delayed",
        permanent=False,
    ),
    Case(
        "arrived",
        _dsn(
            "2.0.0", "250 2.0.0 OK", action="delivered", subject="Successful Mail Delivery Report"
        ),
        "",
        "delivered",
        permanent=False,
    ),
    Case(
        "relayed",
        _dsn("2.0.0", "", action="relayed", subject="Delivery report"),
        "",
        "relayed",
        permanent=False,
    ),
    Case(
        "taken for spam",
        _dsn("5.7.1", "550 5.7.1 Message rejected as spam by content scanning"),
        "policy",
    ),
    Case(
        "our server is on a list",
        _dsn(
            "5.7.1",
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example",
        ),
        "policy",
    ),
    Case(
        "no such user, though not welcome",
        _dsn("5.1.1", "550 5.1.1 blocked by policy: sender not permitted"),
        "policy",
    ),
    Case("too large", _dsn("5.3.4", "552 5.3.4 Message size exceeds fixed limit"), "too_large"),
    Case("a loop", _dsn("5.4.6", "Too many hops 26 (25 max)"), "loop"),
    Case(
        "Exchange says access denied of nobody",
        _dsn("5.4.1", "550 5.4.1 Recipient address rejected: Access denied"),
        "no_such_address",
        dead=True,
    ),
    Case(
        "international form",
        _dsn(
            "5.1.1",
            "550 5.1.1 User unknown",
            status_type="message/global-delivery-status",
            copy="message/global-headers",
        ),
        "no_such_address",
        dead=True,
    ),
    Case(
        "tracking (RFC 3886)",
        _dsn("5.1.1", "", status_type="message/tracking-status", report="tracking-status"),
        "no_such_address",
        dead=True,
    ),
    Case("qmail", qmail, "no_such_address", dead=True),
    Case(
        "qmail, quota",
        lambda i, to: qmail(
            i,
            to,
            "552 Requested mail action aborted: exceeded storage allocation: over quota (#5.2.2)",
        ),
        "mailbox_full",
        permanent=False,
    ),
    Case("exim", exim, "no_such_address", dead=True),
    Case("exim, still trying", exim_waiting, "server_away", "delayed", permanent=False),
    Case(
        "exim, retry time-out",
        lambda i, to: exim(i, to, "retry timeout exceeded"),
        "server_away",
        permanent=False,
    ),
    Case("postfix, plain", postfix_plain, "no_such_address", dead=True),
    Case("exchange", exchange, "no_such_address", dead=True),
    Case(
        "exchange, only for members",
        lambda i, to: exchange(
            i,
            to,
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
            "This group only accepts messages from people in its organization.",
        ),
        "policy",
    ),
    Case("gmail", gmail, "no_such_address", dead=True),
    Case(
        "gmail, full",
        lambda i, to: gmail(
            i,
            to,
            "452 4.2.2 The recipient's inbox is out of storage space.",
            f"{to}'s inbox is full, or it's getting too much mail right now.",
        ),
        "mailbox_full",
        permanent=False,
    ),
    Case(
        "Korean, no such account",
        _korean("존재하지 않는 계정입니다. (550 5.1.1)"),
        "no_such_address",
        dead=True,
    ),
    Case(
        "Korean, full",
        _korean("수신자의 메일함 용량 초과", subject="메일이 반송되었습니다"),
        "mailbox_full",
        permanent=False,
    ),
    Case(
        "Korean, dormant",
        _korean("휴면 상태의 계정으로 메일을 받을 수 없습니다.", subject="메일 발송 실패 안내"),
        "address_closed",
        dead=True,
    ),
    Case(
        "Korean, blocked by the person",
        _korean("수신자가 수신거부한 메일 주소입니다.", subject="[반송] 요청 접수"),
        "policy",
    ),
    Case(
        "Korean, spam", _korean("수신 서버의 스팸 정책에 의해 차단되었습니다. 554 5.7.1"), "policy"
    ),
    Case(
        "Korean, no such domain",
        _korean("받는 사람의 도메인을 찾을 수 없습니다.", subject="전송 실패: 요청 접수"),
        "no_such_domain",
        dead=True,
    ),
    Case(
        "Korean, no answer",
        _korean("수신 서버의 응답이 없습니다. 연결 시간 초과"),
        "server_away",
        permanent=False,
    ),
    Case("Korean, late", korean_late, "server_away", "delayed", permanent=False),
)
