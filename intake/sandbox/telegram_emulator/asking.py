"""The Bot API methods about the bot itself, chats, files and the webhook."""

import re
from collections.abc import MutableMapping
from typing import Any

from subjectline.intake.sandbox.telegram_emulator.objects import Json, member_json
from subjectline.intake.sandbox.telegram_emulator.parameters import CHAT_NOT_FOUND, Parameters
from subjectline.intake.sandbox.telegram_emulator.sending import Method, open_chat
from subjectline.intake.sandbox.telegram_emulator.state import State
from subjectline.intake.sandbox.telegram_emulator.webhook import read_target
from subjectline.models.errors import BadInput, StaleMove

LARGEST_DOWNLOAD = 20 * 2**20
LANGUAGE = re.compile(r"(?:[a-z]{2})?")
COMMAND = re.compile(r"[a-z0-9_]{1,32}")
MOST_COMMANDS = 100
GIFTS = (
    "unlimited_gifts",
    "limited_gifts",
    "unique_gifts",
    "premium_subscription",
    "gifts_from_channels",
)


def get_me(state: State, _call: Parameters) -> object:
    return {
        **state.world.bot.telegram(),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
    }


async def get_updates(state: State, call: Parameters) -> object:
    """Long polling. Raises StaleMove (409) while a webhook is set or when another poll takes over."""
    if state.webhook.target:
        raise StaleMove(
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first"
        )
    if "allowed_updates" in call:
        state.updates.allow(map(str, call.items("allowed_updates")))
    offset, limit = call.integer("offset", 0), call.integer("limit", 100)
    return await state.updates.poll(offset, limit, call.seconds("timeout"))


def set_webhook(state: State, call: Parameters) -> object:
    target = read_target(call)
    if call.flag("drop_pending_updates"):
        state.updates.confirm(state.updates.pending)
    if "allowed_updates" in call:
        state.updates.allow(map(str, call.items("allowed_updates")))
    state.webhook.set(target)
    return True


def delete_webhook(state: State, call: Parameters) -> object:
    return set_webhook(state, Parameters({**call.raw, "url": ""}))


def get_webhook_info(state: State, _call: Parameters) -> object:
    target = state.webhook.target
    info: Json = {
        "url": target.url if target else "",
        "has_custom_certificate": False,
        "pending_update_count": len(state.updates.pending),
    }
    if target:
        info["max_connections"] = target.connections
    if state.updates.allowed:
        info["allowed_updates"] = sorted(state.updates.allowed)
    if state.webhook.last_error:
        info["last_error_date"], info["last_error_message"] = state.webhook.last_error
    return info


def get_file(state: State, call: Parameters) -> object:
    kept = state.world.file(call.text("file_id"))
    if kept is None:
        raise BadInput("Bad Request: invalid file_id")
    if kept.document.size > LARGEST_DOWNLOAD:
        raise BadInput("Bad Request: file is too big")
    shown = kept.document.telegram()
    return {name: shown[name] for name in ("file_id", "file_unique_id", "file_size")} | {
        "file_path": kept.path
    }


def get_chat(state: State, call: Parameters) -> object:
    chat = state.world.chats.get(call.integer("chat_id"))
    if chat is None:
        raise BadInput(CHAT_NOT_FOUND)
    return {
        **chat.telegram(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(GIFTS, False),
    }


def get_chat_member(state: State, call: Parameters) -> object:
    chat, user_id = open_chat(state.world, call), call.integer("user_id")
    user = state.world.bot if user_id == state.world.bot.id else state.world.users.get(user_id)
    if user is None:
        raise BadInput("Bad Request: member not found")
    return member_json(user, state.world.status(chat.id, user.id))


def set_my_commands(state: State, call: Parameters) -> object:
    commands = call.items("commands")
    if len(commands) > MOST_COMMANDS:
        raise BadInput("Bad Request: BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        _check_command(command)
    key = _scope(call), _language(call)
    state.profile.commands[key] = commands
    _keep_few(state.profile.commands)
    state.changes.note()
    return True


def get_my_commands(state: State, call: Parameters) -> object:
    return state.profile.commands.get((_scope(call), _language(call)), [])


def delete_my_commands(state: State, call: Parameters) -> object:
    state.profile.commands.pop((_scope(call), _language(call)), None)
    return True


def set_my_description(state: State, call: Parameters) -> object:
    return _describe(state.profile.descriptions, call, "description", 512)


def get_my_description(state: State, call: Parameters) -> object:
    return {"description": _described(state.profile.descriptions, call)}


def set_my_short_description(state: State, call: Parameters) -> object:
    return _describe(state.profile.short_descriptions, call, "short_description", 120)


def get_my_short_description(state: State, call: Parameters) -> object:
    return {"short_description": _described(state.profile.short_descriptions, call)}


def _describe(texts: dict[str, str], call: Parameters, name: str, longest: int) -> bool:
    text = call.text(name)
    if len(text) > longest:
        raise BadInput(f"Bad Request: {name.replace('_', ' ')} is too long")
    texts[_language(call)] = text
    _keep_few(texts)
    return True


def _described(texts: dict[str, str], call: Parameters) -> str:
    return texts.get(_language(call)) or texts.get("", "")


def _language(call: Parameters) -> str:
    language = call.text("language_code")
    if not LANGUAGE.fullmatch(language):
        raise BadInput("Bad Request: LANG_CODE_INVALID")
    return language


def _scope(call: Parameters) -> str:
    scope = call.mapping("scope")
    return ":".join(str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope) or (
        "default"
    )


def _check_command(command: object) -> None:
    if not isinstance(command, dict) or not COMMAND.fullmatch(str(command.get("command", ""))):
        raise BadInput("Bad Request: BOT_COMMAND_INVALID")
    if not 1 <= len(str(command.get("description", ""))) <= 256:
        raise BadInput("Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")


def _keep_few(kept: MutableMapping[Any, Any], most: int = 1000) -> None:
    while len(kept) > most:
        del kept[next(iter(kept))]


METHODS: dict[str, Method] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyDescription": set_my_description,
    "getMyDescription": get_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyShortDescription": get_my_short_description,
}
