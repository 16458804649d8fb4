"""The members who act in the sandbox, and what they can do: write and answer mails, write in the chat."""

import email.utils
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING

from subjectline.intake.sandbox.company import people
from subjectline.intake.sandbox.mail_world import SandboxMail
from subjectline.intake.sandbox.people import Person
from subjectline.intake.sandbox.telegram_emulator import Message
from subjectline.models.errors import BadInput

if TYPE_CHECKING:
    from subjectline.intake.sandbox.world import World

CHAT = 7_200_000_000  # a member's account in the chat: this and the member number
STRANGER_CHAT = 7_900_000_001
STRANGER = "someone.else@elsewhere.test"


@dataclass(frozen=True)
class Sent:
    """A mail that a member wrote; the desk's mailbox has it."""

    at: datetime
    subject: str
    text: str
    forged: bool = False


class Cast:
    """Who is on the stage, one member a language, and what they have written."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._waiting = {lang: _queue(world, lang) for lang in ("ko", "en")}
        self.now = {lang: self._waiting[lang].pop(0) for lang in ("ko", "en")}
        self.sent: dict[str, list[Sent]] = {}

    def next(self, language: str) -> Person:
        """The next member of a language takes the stage, with whom nothing has happened yet."""
        if not self._waiting[language]:
            self._waiting[language] = _queue(self._world, language)
        self.now[language] = self._waiting[language].pop(0)
        return self.now[language]

    def bystander(self, language: str) -> Person:
        """A member who never takes the stage: for what somebody else tries."""
        return self._waiting[language].pop()

    def sent_by(self, person: Person) -> list[Sent]:
        return self.sent.get(person.email, [])

    def acted(self, person: Person) -> bool:
        """Whether this member has written or received anything."""
        return bool(self.sent.get(person.email) or self.mails(person) or self.chat(person))

    # mail

    async def write(self, person: Person, subject: str, text: str) -> None:
        """A new mail to the desk from the member's own account."""
        await self._post(person, subject, text, self._world.mail.desk_address, None, "pass")

    async def forge(self, person: Person, subject: str, text: str, to: str = "") -> None:
        """A mail that only claims to be the member's: the border server found that out."""
        address = to or self._world.mail.desk_address
        await self._post(person, subject, text, address, None, "fail")

    async def answer(self, person: Person, mail: SandboxMail, text: str) -> None:
        """An answer to a mail, as a mail program writes it: to its Reply-To, with its Message-ID."""
        to = str(mail.message["Reply-To"] or mail.message["From"])
        subject = mail.subject if mail.subject.startswith("Re:") else f"Re: {mail.subject}"
        await self._post(person, subject, text, email.utils.parseaddr(to)[1], mail, "pass")

    def mails(self, person: Person) -> list[SandboxMail]:
        return self._world.mail.mailbox(person.email)

    def mail(self, person: Person, number: int) -> SandboxMail:
        """One mail of the member's mailbox. Raises BadInput."""
        for each in self.mails(person):
            if each.number == number:
                return each
        raise BadInput("there is no such mail", field="mail")

    async def _post(
        self,
        person: Person,
        subject: str,
        text: str,
        to: str,
        about: SandboxMail | None,
        verdict: str,
    ) -> None:
        if not text.strip():
            raise BadInput("a mail has some text", field="text")
        raw = _mail(person, subject, text, to, about)
        kept = Sent(self._world.clock(), subject, text, forged=verdict == "fail")
        self.sent.setdefault(person.email, []).append(kept)
        await self._world.mail.deliver(raw, to, verdict)

    # chat

    def chat_of(self, person: Person) -> int:
        return CHAT + person.number

    def chat(self, person: Person) -> list[Message]:
        return self._world.telegram.messages(self.chat_of(person))

    def say(self, person: Person, text: str) -> Message:
        """The member writes to the bot."""
        chat = self.chat_of(person)
        self._world.telegram.user(chat, person.name, person.language)
        return self._world.telegram.say(chat, text)

    def press(self, person: Person, message_id: int, data: str) -> None:
        """The member presses a button under a message. Raises IllegalMove."""
        chat = self.chat_of(person)
        self._world.telegram.click(chat, chat, message_id, data)


def _mail(person: Person, subject: str, text: str, to: str, about: SandboxMail | None) -> bytes:
    made = EmailMessage()
    made["From"] = email.utils.formataddr((person.name, person.email))
    made["To"] = to
    made["Subject"] = " ".join(subject.split())
    made["Date"] = email.utils.formatdate()
    made["Message-ID"] = email.utils.make_msgid(domain=person.email.rpartition("@")[2])
    if about is not None:
        made["In-Reply-To"] = made["References"] = about.message_id
    made.set_content(text)
    return made.as_bytes()


def _queue(world: "World", language: str) -> list[Person]:
    """Members of a language who have everything that the stories need, the known ones first."""
    from subjectline.intake.sandbox.systems import row_of

    fit = []
    for person in people():
        row = row_of(world.company, person.member) if person.language == language else None
        if row and row.complete:
            fit.append(person)
    return fit
