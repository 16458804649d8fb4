"""Every letter that the desk writes: templates and facts in, subject, text and HTML out.

Pure: nothing is read but the templates. Missing facts raise (StrictUndefined), HTML is escaped. Days
that nobody knows yet are slots: `deed` fills what is known once the answer is carried out, `fill` what
is known once the letter leaves (the day, and a one-time link).
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound, UndefinedError

from subjectline.handlers import page_letters, words
from subjectline.handlers.letter_previews import PREVIEWS
from subjectline.handlers.preview_facts import SAMPLE_TOLD
from subjectline.handlers.words import button_label, kind_label, state_label
from subjectline.models.errors import BadInput, IllegalMove
from subjectline.models.incoming import Door
from subjectline.models.letter_facts import BodyFacts, Common, CompanyFacts
from subjectline.models.reasons import reason_text
from subjectline.models.regimes import DEFAULT_REGIME, Regime, Topic, regime_named

__all__ = [
    "DIALOGS",
    "DONE_ON",
    "EXPIRES_ON",
    "LETTERS",
    "PREVIEWS",
    "SECURE_LINK",
    "SENT_ON",
    "SLOTS",
    "TOLD",
    "Letter",
    "bodies",
    "button_label",
    "common",
    "deed",
    "delay_article",
    "fill",
    "kind_label",
    "law_on",
    "preview",
    "reason_text",
    "refusal",
    "render",
    "state_label",
]

SENT_ON = "⟦sent_on⟧"
DONE_ON = "⟦done_on⟧"
EXPIRES_ON = "⟦expires_on⟧"
SECURE_LINK = "⟦secure_link⟧"
TOLD = "⟦told⟧"
SLOTS = {
    "sent_on": SENT_ON,
    "done_on": DONE_ON,
    "expires_on": EXPIRES_ON,
    "secure_link": SECURE_LINK,
    "told": TOLD,
}

LETTERS = (
    "verify",
    "ack",
    "question",
    "reminder",
    "refused_identity",
    "lapsed",
    "withdrawn",
    "moved",
    "done",
    "partial",
    "refused",
    "restricted",
    "extended",
    "postponed",
    "code",
    "contact_changing",
    "proxy_named",
    "guardian_acts",
    "change_waits",
    "resident_number",
    "too_large",
    "files_left_out",
    "chat_closed",
    "notice",
    "recipient",
)
DIALOGS = tuple(
    "dialog_" + name
    for name in (
        "start help privacy choose_right choose_field ask_email ask_code code_wrong code_spent "
        "bad_value confirm_value status nothing_open cancelled unsure welcome waiting_code "
        "too_many no_mail lost share papers page yes_or_no passed_on person thanks choose_request "
        "old_button language language_chosen already forwarded edited halfway "
        "text_please linked returned contact_unknown"
    ).split()
)

# Facts that a letter may do without. All others must be given, or rendering raises.
_OPTIONAL: Mapping[str, object] = {
    "sent_on": SENT_ON,
    "secure_link": "",
    "told": "",
    "page": "",
    "note": "",
    "reason": "",
    "echo": "",
    "example": "",
    "field_label": "",
    "choices": (),
    "released": (),
    "held_purposes": (),
    "corrected": (),
    "freed": (),
    "still_held": (),
    "earlier": (),
    "recipients": (),
    "kept": (),
    "hold_hours": 0,
    "reply_suffices": False,
    "phone_proves": False,
    "unknown_member": False,
    "lifted": False,
    "remedy": "",
    "tries_left": 0,
    "in_file": False,
}
_SENTENCES: Mapping[str, Topic] = {
    "resident_number": "resident_number",
    "notice": "notice",
    "recipient": "recipients",
}
_PARAGRAPHS = frozenset(
    {"note", "said", "reason", "remedy", "before", "after", "how_to_refuse", "what_follows"}
)
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069⟦⟧]")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter as it is sent. A chat has no subject and no HTML."""

    subject: str
    text: str
    html: str


def render(letter: str, language: str, door: Door, facts: Mapping[str, object]) -> Letter:
    """A letter in `ko` or `en` for mail or for the chat, from the facts of `models.letter_facts`.

    What an agent enters at the console leaves by mail. BadInput for an unknown letter or language, a
    missing fact, or a link that is not http(s).
    """
    known = _facts(letter, language, facts)
    if door.is_chat:
        known["kept_abroad"] = words.word("kept_abroad", door, language)
    try:
        if door.is_chat or door is Door.SMS:
            return Letter("", _chat(letter, language, known, door), "")
        return _mail(letter, language, known)
    except TemplateNotFound as error:
        raise BadInput(f"there is no letter {letter!r} by {door}", field="letter") from error
    except UndefinedError as error:
        raise BadInput(f"the letter {letter!r} lacks a fact: {error}", field="facts") from error


def deed(letter: Letter, language: str, done_on: date, expires_on: date) -> Letter:
    """The letter with the days of what was done: when, and the last day of a link to an export."""
    done, until = words.day(done_on, language), words.day(expires_on, language)
    text, page = (
        body.replace(DONE_ON, done).replace(EXPIRES_ON, until)
        for body in (letter.text, letter.html)
    )
    return Letter(letter.subject, text, page)


def fill(
    letter: Letter, language: str, sent_on: date, secure_link: str = "", told: str = ""
) -> Letter:
    """The letter with its slots filled, as it leaves: `told` names the recipients of the data that
    were told. BadInput if a slot for a link or for them gets none, or it lacks the day of a deed."""
    bodies_of = letter.text + letter.html
    if not secure_link and SECURE_LINK in bodies_of:
        raise BadInput("the letter needs a link and none was given", field="secure_link")
    if not told and TOLD in bodies_of:
        raise BadInput("the letter says who was told and nobody said whom", field="told")
    if DONE_ON in bodies_of or EXPIRES_ON in bodies_of:
        raise BadInput("the letter tells of a deed that has no day yet", field="done_on")
    if secure_link:
        _url(secure_link)
    when = words.day(sent_on, language)
    return Letter(
        letter.subject,
        _text_told(letter, told).replace(SENT_ON, when).replace(SECURE_LINK, secure_link),
        letter.html.replace(SENT_ON, when)
        .replace(SECURE_LINK, html.escape(secure_link))
        .replace(TOLD, html.escape(told)),
    )


def _text_told(letter: Letter, told: str) -> str:
    """Who was told, in lines of a mail's width; a chat breaks its own."""
    if not letter.html:
        return letter.text.replace(TOLD, told)
    lines = letter.text.split("\n")
    full = (line.replace(TOLD, told) for line in lines)
    return "\n".join(
        words.fitted(new) if TOLD in line else line for line, new in zip(lines, full, strict=True)
    )


def common(
    company: CompanyFacts,
    reference: str,
    kind: str,
    language: str,
    *,
    received_on: date,
    due_on: date,
    regime: str | Regime = DEFAULT_REGIME,
) -> Common:
    """What every letter about a request says, with the law of its right in the letter's language."""
    law = regime_named(regime) if isinstance(regime, str) else regime
    rule = law.rule(kind)
    return Common(
        company=company,
        reference=reference,
        kind=kind,
        received_on=received_on,
        due_on=due_on,
        article=f"{rule.article.in_(language)}: {rule.words.in_(language)}",
        counting=law.counting.in_(language),
        identity_law=law.sentences["identity"].in_(language),
    )


def refusal(
    kind: str, ground: str, language: str, regime: str | Regime = DEFAULT_REGIME
) -> dict[str, Any]:
    """The facts ground, ground_article, unknown_member and bodies of a refusal, from the regime's list.

    BadInput if this right cannot be refused on this ground.
    """
    law = regime_named(regime) if isinstance(regime, str) else regime
    found = law.ground(kind, ground)
    return {
        "ground": found.text.in_(language),
        "ground_article": found.article.in_(language),
        "unknown_member": found.unknown_member,
        "bodies": bodies(language, law),
    }


def delay_article(
    kind: str, language: str, regime: str | Regime = DEFAULT_REGIME, *, postponed: bool
) -> str:
    """The fact `ground_article` of `postponed` and `extended`: the article that allows the delay.

    IllegalMove where the regime allows none (there is no extension of a correction, PIPA 36).
    """
    law = regime_named(regime) if isinstance(regime, str) else regime
    rule = law.rule(kind)
    article = rule.postpone if postponed else rule.extension and rule.extension.article
    if not article:
        raise IllegalMove(f"{law.name} allows no delay of {kind}", field="kind")
    return article.in_(language)


def law_on(topic: Topic, language: str, regime: str | Regime = DEFAULT_REGIME) -> str:
    """The law's sentence for the letters `resident_number` and `notice`: their fact `law`."""
    law = regime_named(regime) if isinstance(regime, str) else regime
    return law.sentences[topic].in_(language)


def bodies(language: str, regime: str | Regime = DEFAULT_REGIME) -> list[BodyFacts]:
    """Whom a person can turn to outside of the company, in the letter's language."""
    law = regime_named(regime) if isinstance(regime, str) else regime
    return [BodyFacts(name=body.name.in_(language), phone=body.phone) for body in law.bodies]


def preview(name: str, language: str, door: Door = Door.MAIL) -> Letter:
    """A letter with sample facts, for `subjectline letter preview`. BadInput for an unknown name."""
    if name not in PREVIEWS:
        raise BadInput(
            f"no preview {name!r}", field="name", remedy=f"Use one of: {', '.join(PREVIEWS)}."
        )
    words.word_list(language)
    sample = PREVIEWS[name]
    door = Door.TELEGRAM if sample.letter in DIALOGS else door
    facts = dict(sample.facts[language])
    if door is Door.MAIL:
        facts |= page_letters.shown(sample.letter, facts, SECURE_LINK)
    letter = render(sample.letter, language, door, facts)
    link = "https://desk.example/m/sample"
    return fill(letter, language, date(2026, 3, 5), link, SAMPLE_TOLD[language])


def _facts(letter: str, language: str, facts: Mapping[str, object]) -> dict[str, object]:
    known = {**_OPTIONAL, **{key: _clean(value, key) for key, value in facts.items()}}
    if (kind := known.get("kind")) and "kind_label" not in known:
        known["kind_label"] = kind_label(str(kind), language)
    if "references" not in known and "kind_label" in known:
        known["references"] = [(known["reference"], known["kind_label"], known.get("due_on"))]
    if letter in _SENTENCES and "law" not in known:
        known["law"] = law_on(_SENTENCES[letter], language)
    return known


def _clean(value: object, key: str) -> object:
    """Facts without control characters; only an agent's paragraphs and policy clauses keep their lines."""
    if isinstance(value, str):
        if value in SLOTS.values():
            return value if key in SLOTS else ""
        text = _INVISIBLE.sub(" ", value)
        return text.strip() if key in _PARAGRAPHS else " ".join(text.split())
    if isinstance(value, Mapping):
        return {_clean(name, ""): _clean(item, str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(item, key) for item in value]
    return value


def _mail(letter: str, language: str, facts: dict[str, object]) -> Letter:
    folder = f"mail/{language}/{letter}"
    env = _environment(language)
    subject = " ".join(env.get_template(f"{folder}/subject.txt").render(facts).split())
    text = env.get_template(f"{folder}/body.txt").render(facts)
    page = env.get_template(f"{folder}/body.html").render(facts, subject=subject)
    return Letter(subject, words.laid_out(text), re.sub(r"\n\s*\n+", "\n", page).strip() + "\n")


def _chat(letter: str, language: str, facts: dict[str, object], door: Door) -> str:
    """Plain text without personal data; a text message has the chat's words where it has none."""
    folders = ("sms", "telegram") if door is Door.SMS else ("telegram",)
    names = [f"{folder}/{language}/{letter}.txt" for folder in folders]
    text = _environment(language).select_template(names).render(facts)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


@cache
def _environment(language: str) -> Environment:
    frame = words.word_list(language)["frame"]
    env = Environment(
        loader=FileSystemLoader(words.TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: bool(name and name.endswith(".html")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters |= {
        "day": partial(words.day, language=language),
        "until": partial(words.until, language=language),
        "listed": partial(words.listed, language=language),
        "kind_label": partial(kind_label, language=language),
        "state_label": partial(state_label, language=language, for_member=True),
        "reason_text": partial(reason_text, language=language),
        "josa": words.josa,
        "last_four": words.last_four,
        "chat_safe": words.chat_safe,
        "url": _url,
    }
    env.globals |= {
        "language": language,
        "w": frame,
        "next_steps": words.word_list(language)["next_steps"],
        "page_words": words.word_list(language)["pages"],
    }
    env.globals["m"] = env.get_template("mail/macros.html").module
    return env


def _url(address: str) -> str:
    if address == SECURE_LINK or re.match(r"https?://[^\s<>\"]+\Z", address):
        return address
    raise BadInput("a link in a letter starts with https:// or http://", field="link")
