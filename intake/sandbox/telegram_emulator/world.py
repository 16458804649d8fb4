"""The emulated Telegram's people, chats, messages, files and callback queries: in memory, all bounded."""

import hashlib
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, replace

from subjectline.intake.sandbox.telegram_emulator.changes import Changes
from subjectline.intake.sandbox.telegram_emulator.objects import (
    Chat,
    Document,
    Json,
    Message,
    Status,
    User,
)
from subjectline.models.clock import Clock
from subjectline.models.errors import BadInput, Refused


@dataclass(frozen=True)
class Bounds:
    """How much is kept. Beyond it the oldest messages, files, queries, calls go; new people are refused."""

    messages: int = 100_000
    pending: int = 100_000
    file_bytes: int = 64 * 2**20
    people: int = 50_000
    queries: int = 10_000
    calls: int = 20_000


@dataclass
class Query:
    """A click that the bot has or has not answered; `text` is what the person saw for it."""

    id: str
    user: int
    at: int
    answered: bool = False
    text: str = ""
    alert: bool = False


@dataclass(frozen=True)
class StoredFile:
    """The bytes of a document and the path for downloading them."""

    document: Document
    path: str
    data: bytes


class World:
    """Everything but updates, faults and settings of one bot's Telegram."""

    def __init__(self, clock: Clock, bot: User, bounds: Bounds, changes: Changes) -> None:
        self.bot, self.bounds, self.changes = bot, bounds, changes
        self._clock = clock
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.members: defaultdict[int, dict[int, Status]] = defaultdict(dict)
        self.blocked: set[int] = set()
        self._messages: defaultdict[int, dict[int, Message]] = defaultdict(dict)
        self._order: deque[tuple[int, int]] = deque()
        self.last_id: defaultdict[int, int] = defaultdict(int)  # of a chat's messages
        self.sequence = 0  # of clicks and files
        self._queries: OrderedDict[str, Query] = OrderedDict()
        self._files: OrderedDict[str, StoredFile] = OrderedDict()
        self._file_bytes = 0

    def now(self) -> int:
        """Unix seconds of the injected clock."""
        return int(self._clock().timestamp())

    # people and chats

    def put_user(self, user: User) -> User:
        """Add or replace a person; Refused when there are too many."""
        if user.id <= 0:
            raise BadInput("A person's id is above zero", field="user")
        if user.id not in self.users and len(self.users) >= self.bounds.people:
            raise Refused(f"The sandbox holds {self.bounds.people} people at most")
        self.users[user.id] = user
        if user.id in self.chats:
            self.chats[user.id] = Chat(user.id, user.first_name)
        return user

    def user(self, user_id: int) -> User:
        """The person with this id, made up when new."""
        known = self.users.get(user_id)
        return known or self.put_user(User(user_id, f"Person {user_id}", "en"))

    def open_chat(self, user_id: int) -> Chat:
        """The private chat of a person with the bot; it exists from their first word on."""
        return self.chats.setdefault(user_id, Chat(user_id, self.user(user_id).first_name))

    def put_group(self, chat: Chat) -> Chat:
        """Add or rename a group; Refused when there are too many."""
        if chat.id not in self.chats and len(self.chats) >= 2 * self.bounds.people:
            raise Refused("The sandbox holds no more groups")
        self.chats[chat.id] = chat
        return chat

    def status(self, chat: int, user: int) -> Status:
        """What a user is in a chat."""
        if chat > 0:
            return "member" if user in (chat, self.bot.id) else "left"
        return self.members[chat].get(user, "left") if chat in self.members else "left"

    # messages

    def add(self, chat: Chat, sender: User, **content: object) -> Message:
        """Put a new message into a chat; the oldest of all go when there are too many."""
        self.last_id[chat.id] = number = self.last_id[chat.id] + 1
        fields: Json = dict(content)
        message = Message(message_id=number, date=self.now(), chat=chat, sender=sender, **fields)
        self.put_message(message)
        self.changes.note()
        return message

    def put_message(self, message: Message) -> None:
        """Put a ready message behind all others."""
        chat, number = message.chat.id, message.message_id
        self._messages[chat][number] = message
        self._order.append((chat, number))
        if len(self._order) > self.bounds.messages:
            old_chat, old_number = self._order.popleft()
            self._messages[old_chat].pop(old_number, None)

    def everything(self) -> list[Message]:
        """The messages of all chats as they came."""
        found = (self.message(chat, number) for chat, number in self._order)
        return [message for message in found if message is not None]

    def edit(self, message: Message, **content: object) -> Message:
        """Put the changed message in the old one's place."""
        fields: Json = dict(content)
        changed = replace(message, **fields)
        self._messages[message.chat.id][message.message_id] = changed
        self.changes.note()
        return changed

    def message(self, chat: int, message_id: int) -> Message | None:
        """A message that is (still) there."""
        return self._messages[chat].get(message_id) if chat in self._messages else None

    def messages(self, chat: int) -> list[Message]:
        """What a person sees in a chat now, oldest first."""
        return list(self._messages[chat].values()) if chat in self._messages else []

    def remove(self, chat: int, message_id: int) -> bool:
        """Delete a message for everyone; whether there was one."""
        gone = self.message(chat, message_id) is not None
        if gone:
            del self._messages[chat][message_id]
            self.changes.note()
        return gone

    # callback queries

    def ask(self, user: int) -> Query:
        """Note a click that waits for the bot's answer."""
        self.sequence += 1
        query = Query(str(4_382_000_000_000_000 + self.sequence), user, self.now())
        self.put_query(query)
        return query

    def put_query(self, query: Query) -> None:
        """Note a ready click."""
        self._queries[query.id] = query
        if len(self._queries) > self.bounds.queries:
            self._queries.popitem(last=False)

    def queries(self) -> list[Query]:
        """The clicks that are still known, oldest first."""
        return list(self._queries.values())

    def query(self, query_id: str) -> Query | None:
        """The click with this id, if it is not too long ago."""
        return self._queries.get(query_id)

    # files

    def store(self, name: str, mime: str, data: bytes) -> Document:
        """Keep a file; the oldest go when all together have too many bytes."""
        self.sequence = number = self.sequence + 1
        digest = hashlib.sha256(data).hexdigest()[:16]
        document = Document(f"BQACAgQAAx{number:08d}", f"AgAD{digest}", name, mime, len(data))
        suffix = name.rpartition(".")[2] if "." in name else "bin"
        path = f"documents/file_{number}.{''.join(filter(str.isalnum, suffix)) or 'bin'}"
        self._files[document.file_id] = StoredFile(document, path, data)
        self._file_bytes += len(data)
        while self._file_bytes > self.bounds.file_bytes and len(self._files) > 1:
            _, oldest = self._files.popitem(last=False)
            self._file_bytes -= len(oldest.data)
        return document

    def file(self, file_id: str) -> StoredFile | None:
        """A file by its id, if it is still kept."""
        return self._files.get(file_id)

    def file_at(self, path: str) -> StoredFile | None:
        """A file by its download path, if it is still kept."""
        return next((each for each in self._files.values() if each.path == path), None)
