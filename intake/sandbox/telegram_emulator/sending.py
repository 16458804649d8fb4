"""The Bot API methods that put something into a chat, change it or take it away."""

from collections.abc import Callable

from subjectline.intake.sandbox.telegram_emulator.formatting import (
    LONGEST_CAPTION,
    LONGEST_TEXT,
    check_length,
    read_text,
)
from subjectline.intake.sandbox.telegram_emulator.keyboards import read_markup
from subjectline.intake.sandbox.telegram_emulator.objects import Chat, Document, Json, Message
from subjectline.intake.sandbox.telegram_emulator.parameters import (
    CHAT_NOT_FOUND,
    LARGEST_UPLOAD,
    Parameters,
)
from subjectline.intake.sandbox.telegram_emulator.state import State
from subjectline.intake.sandbox.telegram_emulator.world import World
from subjectline.models.errors import BadInput, NotPermitted

Method = Callable[[State, Parameters], object]

DELETABLE_FOR = 48 * 3600  # seconds; Bot API, deleteMessage
QUERY_LIVES = 15 * 60  # seconds a click can be answered; Telegram states no figure
LONGEST_TOAST = 200
ENTITY = {"type", "offset", "length"}
TOO_LARGE = "Request Entity Too Large"
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
QUERY_GONE = "Bad Request: query is too old and response timeout expired or query ID is invalid"


def open_chat(world: World, call: Parameters) -> Chat:
    """The chat of a call that the bot may write to. Raises BadInput (400) or NotPermitted (403)."""
    chat_id = call.integer("chat_id")
    if chat_id in world.blocked:
        blocker = "blocked by the user" if chat_id > 0 else "kicked from the supergroup chat"
        raise NotPermitted(f"Forbidden: bot was {blocker}")
    if chat_id in world.chats:
        return world.chats[chat_id]
    if chat_id in world.users:
        raise NotPermitted("Forbidden: bot can't initiate conversation with a user")
    raise BadInput(CHAT_NOT_FOUND)


def send_message(state: State, call: Parameters) -> object:
    chat = open_chat(state.world, call)
    text, entities = _body(call)
    return _send(state, call, chat, text=text, entities=entities)


def send_document(state: State, call: Parameters) -> object:
    chat = open_chat(state.world, call)
    document = _document(state.world, call)
    caption, entities = read_text(call.text("caption"), call.text("parse_mode"))
    check_length(caption, LONGEST_CAPTION, "message caption")
    entities = _given(call, "caption_entities") or entities
    return _send(state, call, chat, document=document, caption=caption, caption_entities=entities)


def send_chat_action(state: State, call: Parameters) -> object:
    open_chat(state.world, call)
    if "action" not in call:
        raise BadInput("Bad Request: wrong parameter action in request")
    return True


def edit_message_text(state: State, call: Parameters) -> object:
    message = _own(state.world, call)
    if message.document:
        raise BadInput("Bad Request: there is no text in the message to edit")
    text, entities = _body(call)
    markup = read_markup(call.mapping("reply_markup"), message.chat)
    return _edit(state.world, message, text=text, entities=entities, inline=markup.inline)


def edit_message_reply_markup(state: State, call: Parameters) -> object:
    message = _own(state.world, call)
    markup = read_markup(call.mapping("reply_markup"), message.chat)
    return _edit(state.world, message, inline=markup.inline)


def delete_message(state: State, call: Parameters) -> object:
    chat = open_chat(state.world, call)
    message = state.world.message(chat.id, call.integer("message_id"))
    if message is None:
        raise BadInput("Bad Request: message to delete not found")
    if not _may_delete(state.world, message):
        raise BadInput("Bad Request: message can't be deleted for everyone")
    return state.world.remove(chat.id, message.message_id)


def delete_messages(state: State, call: Parameters) -> object:
    chat = open_chat(state.world, call)
    wanted = call.items("message_ids")
    if not 1 <= len(wanted) <= 100 or not all(isinstance(each, int) for each in wanted):
        raise BadInput("Bad Request: there must be 1 to 100 message identifiers")
    found = [state.world.message(chat.id, each) for each in wanted]
    for message in found:  # what is not found or cannot go is passed over
        if message and _may_delete(state.world, message):
            state.world.remove(chat.id, message.message_id)
    return True


def answer_callback_query(state: State, call: Parameters) -> object:
    query = state.world.query(call.text("callback_query_id"))
    if query is None or query.answered or state.world.now() - query.at > QUERY_LIVES:
        raise BadInput(QUERY_GONE)
    text = call.text("text")
    if len(text) > LONGEST_TOAST:
        raise BadInput("Bad Request: MESSAGE_TOO_LONG")
    query.answered, query.text, query.alert = True, text, call.flag("show_alert")
    state.changes.note()
    return True


def _body(call: Parameters) -> tuple[str, tuple[Json, ...]]:
    text, entities = read_text(call.text("text"), call.text("parse_mode"))
    if not text:
        raise BadInput("Bad Request: message text is empty")
    check_length(text, LONGEST_TEXT, "message")
    return text, _given(call, "entities") or entities


def _given(call: Parameters, name: str) -> tuple[Json, ...]:
    entities = call.items(name)
    known = all(isinstance(each, dict) and ENTITY <= each.keys() for each in entities)
    if not known:
        raise BadInput("Bad Request: can't parse MessageEntity")
    return tuple(entities)


def _send(state: State, call: Parameters, chat: Chat, **content: object) -> Json:
    markup = read_markup(call.mapping("reply_markup"), chat)
    message = state.world.add(
        chat,
        state.world.bot,
        reply_to=_replied(state.world, call, chat),
        inline=markup.inline,
        keyboard=markup.keyboard,
        protected=call.flag("protect_content"),
        **content,
    )
    return message.telegram()


def _replied(world: World, call: Parameters, chat: Chat) -> Message | None:
    reply = call.mapping("reply_parameters")
    if not reply:
        return None
    number = reply.get("message_id")
    message = world.message(chat.id, number) if isinstance(number, int) else None
    if message is None and not reply.get("allow_sending_without_reply"):
        raise BadInput("Bad Request: message to be replied not found")
    return message


def _document(world: World, call: Parameters) -> Document:
    given = call.upload("document")
    if isinstance(given, str):
        kept = world.file(given)
        if kept is None:  # an address of the web is not fetched either: no network here
            raise BadInput("Bad Request: wrong file identifier/HTTP URL specified")
        return kept.document
    if not given.data:
        raise BadInput("Bad Request: file must be non-empty")
    if len(given.data) > LARGEST_UPLOAD:
        raise BadInput(TOO_LARGE)
    return world.store(given.name, given.mime, given.data)


def _own(world: World, call: Parameters) -> Message:
    """The bot's own message that a call wants to edit."""
    chat = open_chat(world, call)
    message = world.message(chat.id, call.integer("message_id"))
    if message is None:
        raise BadInput("Bad Request: message to edit not found")
    stuck = {"keyboard", "force_reply"} & message.keyboard.keys()
    if message.sender.id != world.bot.id or stuck:
        raise BadInput("Bad Request: message can't be edited")
    return message


def _edit(world: World, message: Message, **content: object) -> Json:
    if all(getattr(message, name) == value for name, value in content.items()):
        raise BadInput(NOT_MODIFIED)
    return world.edit(message, edited_at=world.now(), **content).telegram()


def _may_delete(world: World, message: Message) -> bool:
    """Within 48 hours: its own everywhere; others' in private chats, and as a group's administrator."""
    if world.now() - message.date > DELETABLE_FOR:
        return False
    own = message.sender.id == world.bot.id
    return (
        own
        or message.chat.private
        or world.status(message.chat.id, world.bot.id)
        in (
            "administrator",
            "creator",
        )
    )


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendChatAction": send_chat_action,
    "editMessageText": edit_message_text,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "answerCallbackQuery": answer_callback_query,
}
COUNTED = frozenset({"sendMessage", "sendDocument"})
