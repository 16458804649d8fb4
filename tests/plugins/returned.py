"""Delivery reports as servers write them, about a letter of ours. Everybody in them is invented.

Each builder takes the letter's Message-ID and its recipient and gives the bytes of a mail as it arrives.
"""

from collections.abc import Callable

BORDER = "border.test"
ROBOT = "MAILER-DAEMON@mx.member.example"
UNKNOWN = "550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table"

Build = Callable[[str, str], bytes]


def raw(
    body: str,
    *,
    subject: str,
    sender: str = f"Mail Delivery System <{ROBOT}>",
    kind: str = "text/plain; charset=utf-8",
    more: str = "",
    number: str = "r1",
) -> bytes:
    """A robot's mail with this body."""
    head = (
        f"Return-Path: <>\nAuthentication-Results: {BORDER}; dmarc=none "
        f"header.from=mx.member.example\n"
        f"From: {sender}\nTo: privacy@moment-pick.test\nSubject: {subject}\n"
        f"Message-ID: <{number}@mx.member.example>\nDate: Mon, 23 Nov 2026 10:01:00 +0900\n{more}"
        f"MIME-Version: 1.0\nContent-Type: {kind}\n\n"
    )
    return (head + body).encode()


def head_of(message_id: str, to: str) -> str:
    """The header of our letter, as it comes back."""
    return (
        "Received: from desk.moment-pick.test by mx.member.example; Mon, 23 Nov 2026 10:00:30 "
        "+0900\n"
        f"From: privacy@moment-pick.test\nTo: {to}\nSubject: =?utf-8?b?7JqU7LKtIOygkeyImA==?=\n"
        f"Message-ID: {message_id}\nIn-Reply-To: <their.own@mail.member.example>\n"
        "Auto-Submitted: auto-replied\nX-Subjectline: 1\n"
    )


def dsn(
    message_id: str,
    to: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    words: str = UNKNOWN,
    original: str = "",
    copy: str = "text/rfc822-headers",
    status_type: str = "message/delivery-status",
    report: str = "delivery-status",
    told: str = "I'm sorry to have to inform you that your message could not be delivered.",
    subject: str = "Undelivered Mail Returned to Sender",
    number: str = "r1",
) -> bytes:
    """The standard form (RFC 3464 in RFC 6522)."""
    first = f"Original-Recipient: rfc822;{original}\n" if original else ""
    answer = f"Diagnostic-Code: smtp; {words.format(to=to)}\n" if words else ""
    parts = (
        f"--b1\nContent-Type: text/plain; charset=utf-8\n\n{told}\n\n"
        f"--b1\nContent-Type: {status_type}\n\nReporting-MTA: dns; mx.member.example\n"
        "X-Postfix-Queue-ID: 4AB12\nArrival-Date: Mon, 23 Nov 2026 10:00:31 +0900\n\n"
        f"Final-Recipient: rfc822; {to}\n{first}Action: {action}\nStatus: {status}\n{answer}\n"
    )
    if copy:
        below = "\nbody\n" if copy == "message/rfc822" else ""
        parts += f"--b1\nContent-Type: {copy}\n\n{head_of(message_id, original or to)}{below}\n"
    kind = f"multipart/report; report-type={report}; boundary=b1"
    return raw(f"{parts}--b1--\n", subject=subject, kind=kind, number=number)


def qmail(message_id: str, to: str, why: str = "") -> bytes:
    """QSBMF: words, a break, the letter."""
    why = (
        why
        or "192.0.2.8 does not like recipient.\nRemote host said: 550 sorry, no mailbox here by "
        "that name (#5.1.1)"
    )
    return raw(
        "Hi. This is the qmail-send program at mx.member.example.\nI'm afraid I wasn't able to "
        "deliver your "
        "message to the following addresses.\nThis is a permanent error; I've given up. Sorry "
        "it didn't work out."
        f"\n\n<{to}>:\n{why}\nGiving up on 192.0.2.8.\n\n--- Below this line is a copy of the "
        f"message.\n\n"
        f"Return-Path: <privacy@moment-pick.test>\n{head_of(message_id, to)}\n안내드립니다. spam\n",
        subject="failure notice",
    )


def exim(message_id: str, to: str, why: str = "") -> bytes:
    why = why or f"550 5.1.1 <{to}> user unknown"
    return raw(
        "This message was created automatically by mail delivery software.\n\nA message that "
        "you sent could not "
        f"be delivered to one or more of its\nrecipients. This is a permanent error. The "
        f"following address(es) "
        f"failed:\n\n  {to}\n    host mx.member.example [192.0.2.8]\n    SMTP error from remote "
        f"mail server after "
        f"RCPT TO:<{to}>:\n    {why}\n\n------ This is a copy of the message, including all the "
        f"headers. ------\n\n"
        f"{head_of(message_id, to)}\nHello.\n",
        subject="Mail delivery failed: returning message to sender",
        more=f"X-Failed-Recipients: {to}\nAuto-Submitted: auto-replied\n",
    )


def exim_waiting(message_id: str, to: str) -> bytes:
    return raw(
        "This message was created automatically by mail delivery software.\nA message that you "
        "sent has not yet "
        "been delivered to one or more of its\nrecipients after more than 24 hours on the "
        "queue.\n\nThe message "
        f"identifier is: 1abcDE\n\nThe address to which the message has not yet been delivered "
        f"is:\n\n  {to}\n\n"
        "No action is required on your part. Delivery attempts will continue for\nsome time.",
        subject="Warning: message 1abcDE delayed 24 hours",
        more=f"References: {message_id}\nAuto-Submitted: auto-replied\n",
    )


def postfix_plain(message_id: str, to: str, why: str = "") -> bytes:
    why = (
        why
        or f"host mx.member.example[192.0.2.8] said: 550 5.1.1 <{to}>: User unknown (in reply to "
        f"RCPT TO command)"
    )
    return raw(
        "This is the Postfix program at host mx.member.example.\n\nI'm sorry to have to inform "
        "you that the "
        "message returned\nbelow could not be delivered to one or more destinations.\n\n        "
        "                The "
        f"Postfix program\n\n<{to}>: {why}\n\n------ Original message "
        f"------\n{head_of(message_id, to)}\n본문\n",
        subject="Undelivered Mail Returned to Sender",
    )


def exchange(message_id: str, to: str, code: str = "", told: str = "") -> bytes:
    """Outlook and Exchange: HTML for people, the header below it."""
    code = (
        code
        or "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
    )
    told = (
        told
        or "The email address you entered couldn't be found. Please check the recipient's email "
        "address."
    )
    return raw(
        f"<html><body><p><b>Delivery has failed to these recipients or groups:</b></p>"
        f'<p><a href="mailto:{to}">'
        f"{to}</a><br>{told}</p><p>Diagnostic information for administrators:</p><p>Generating "
        f"server: "
        f"mx.member.example</p><p>{to}<br>Remote Server returned '{code}'</p><p>Original message "
        f"headers:</p>"
        f"<pre>{head_of(message_id, to).replace('<', '&lt;').replace('>', '&gt;')}</pre></body></html>",
        subject="Undeliverable: 요청 접수",
        kind="text/html; charset=utf-8",
        sender="Microsoft Outlook <postmaster@member.example>",
    )


def gmail(message_id: str, to: str, why: str = "", told: str = "") -> bytes:
    """Google: the id stands in the threading; its own words stand before the server's."""
    why = why or "550 5.1.1 The email account that you tried to reach does not exist."
    told = (
        told
        or f"Your message wasn't delivered to {to} because the address couldn't be found, or is "
        f"unable to receive mail."
    )
    return raw(
        f"\n** Address not found **\n\n{told}\n\nThe response from the remote server was:\n{why}\n",
        subject="Delivery Status Notification (Failure)",
        sender="Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        more=f"In-Reply-To: {message_id}\nReferences: {message_id}\nX-Failed-Recipients: "
        f"{to}\nAuto-Submitted: auto-replied\n",
    )


def korean(
    message_id: str,
    to: str,
    why: str,
    *,
    subject: str = "[메일 반송] 메일이 반송되었습니다",
    sender: str = "",
) -> bytes:
    """Naver, Daum and Kakao: polite words, a table of facts, our letter below."""
    return raw(
        f"안녕하세요.\n보내신 메일이 아래의 사유로 반송되었습니다.\n\n받는사람 : {to}\n보낸시각 : "
        f"2026-11-23 10:00:31\n"
        f"반송사유 : {why}\n\n-----원본 메시지-----\n{head_of(message_id, to)}\n안내드립니다.\n",
        subject=subject,
        sender=sender or "메일 관리자 <postmaster@mail.member.example>",
    )


def korean_late(message_id: str, to: str) -> bytes:
    return raw(
        f"보내신 메일의 전송이 지연되고 있습니다.\n\n수신자: {to}\n계속 재시도 중이므로 다시 "
        f"보내실 필요가 없습니다.\n"
        f"\n-----원본 메시지-----\n{head_of(message_id, to)}\n",
        subject="메일 전송이 지연되고 있습니다",
        sender="mailer-daemon@mail.member.example",
    )


def arf(message_id: str, to: str, *, named: bool = True) -> bytes:
    """Somebody pressed "this is spam" (RFC 5965)."""
    who = f"Original-Rcpt-To: {to}\n" if named else ""
    parts = (
        "--b1\nContent-Type: text/plain\n\nThis is an email abuse "
        "report.\n\n--b1\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: abuse\nUser-Agent: Loop/1.0\nVersion: 1\n{who}Source-IP: 192.0.2.1\n\n"
        f"--b1\nContent-Type: message/rfc822\n\n{head_of(message_id, to)}\nbody\n\n--b1--\n"
    )
    kind = "multipart/report; report-type=feedback-report; boundary=b1"
    return raw(parts, subject="FW: your letter", kind=kind, sender="feedback@isp.example")
