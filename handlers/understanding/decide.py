"""Puts the signs of a message together: what to do, what to ask."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from subjectline.handlers.understanding.clauses import CAP, Sentence, clean, sentences
from subjectline.handlers.understanding.corrections import Found, corrections
from subjectline.handlers.understanding.fields import field_signs
from subjectline.handlers.understanding.followups import asked_only, only_asking
from subjectline.handlers.understanding.judge import judge, settled
from subjectline.handlers.understanding.language import language_of
from subjectline.handlers.understanding.model import UNCLEAR, Sign, Understanding, Veto, Wish
from subjectline.handlers.understanding.targets import hits_in
from subjectline.handlers.understanding.vague import vague
from subjectline.handlers.understanding.vocabulary import Hit, Vocabulary

# kind -> kinds that it already covers when both are asked for in one message
_COVERS: Mapping[str, tuple[str, ...]] = {
    "membership_withdrawal": ("erasure",),
    "portability": ("access",),
    "erasure": ("suspension",),
}
_MANY = 4  # more rights than this in one message look like quoted law


@dataclass(slots=True)
class Notes:
    """What was found in the sentences of one message, for reading it again with one vocabulary."""

    cut: dict[tuple[str, str, str], Sentence] = field(default_factory=dict)
    hits: dict[Sentence, list[Hit]] = field(default_factory=dict)


def understand(
    text: str,
    vocabulary: Vocabulary,
    language: str | None = None,
    veto: Veto | None = None,
    notes: Notes | None = None,
) -> Understanding:
    """Which rights a message asks for. Reads the first 20,000 characters, in linear time.

    `language` ("ko" or "en") is the answer's; each sentence is read in its own. `veto` can turn a
    sure right into a question, never the other way. `notes` of one message spare work where it is
    read twice, with its subject and without. Raises nothing.
    """
    plain = clean(text)
    spoken = language or language_of(plain)
    notes = notes or Notes()
    parts = sentences(plain, spoken, notes.cut)
    seen = judge(parts)
    hits = hits_in(parts, vocabulary, notes.hits)
    every = [sign for one in seen for sign in one.signs]
    every += field_signs(parts, seen, hits, vocabulary)
    found = corrections(parts, seen, hits, vocabulary)
    asking = only_asking(parts)
    if asking:
        every = [sign for sign in every if not asked_only(sign.certainty, sign.why)]
        found = Found(None) if asked_only(found.certainty, found.why) else found
    signs = settled(every)
    reasons = [f"{s.kind}: {s.certainty}, {s.why or 'plain'}" for s in signs.values()]
    if found.wish:
        reasons.append(f"correction: {found.certainty}, {found.why or 'plain'}")
    if len(text) > CAP:
        reasons.append("only the first 20000 characters were read")
    sure, likely = _sorted(signs, found)
    if not sure and not likely and not asking and vague(parts, hits):
        likely = [Wish(UNCLEAR)]
        reasons.append("unclear: likely, no right named")
    if veto:
        vetoed = [w for w in sure if veto(plain, w.kind)]
        sure, likely = [w for w in sure if w not in vetoed], [*vetoed, *likely]
    return _decided(spoken, sure, likely, tuple(reasons))


def _sorted(signs: Mapping[str, Sign], found: Found) -> tuple[list[Wish], list[Wish]]:
    """Sure wishes and guesses, without those that another one covers."""
    sure = [_of(s) for s in signs.values() if s.certainty == "sure" and s.kind != UNCLEAR]
    likely = [_of(s) for s in signs.values() if s.certainty == "likely" or s.kind == UNCLEAR]
    likely = [w for w in likely if w.kind != UNCLEAR or signs[UNCLEAR].certainty != "no"]
    objects = "objection" in {w.kind for w in (*sure, *likely)}
    if found.wish and not (objects and not found.wish.new_values):
        (sure if found.certainty == "sure" else likely).append(found.wish)
    kinds = {w.kind for w in sure}
    covered = {k for kind in kinds for k in _COVERS.get(kind, ())}
    sure = [w for w in sure if w.kind not in covered]
    loose = {UNCLEAR} if kinds else set()
    return sure, [w for w in likely if w.kind not in covered | kinds | loose]


def _of(sign: Sign) -> Wish:
    return Wish(sign.kind, sign.fields)


def _decided(
    language: str, sure: list[Wish], likely: list[Wish], reasons: tuple[str, ...]
) -> Understanding:
    if len(sure) > _MANY:
        return Understanding(language, "ask", (), "which_right", reasons, tuple(sure))
    fieldless = [w for w in sure if w.kind == "correction" and not w.fields]
    ready = [w for w in sure if w not in fieldless]
    if ready:
        question = "which_field" if fieldless else _value_question(ready)
        return Understanding(
            language, "apply", tuple(ready), question, reasons, (*fieldless, *likely)
        )
    if fieldless:
        return Understanding(
            language, "ask", tuple(fieldless), "which_field", reasons, tuple(likely)
        )
    if not likely:
        return Understanding(language, "none", (), "", reasons)
    question = "confirm_right" if len(likely) == 1 and likely[0].kind != UNCLEAR else "which_right"
    return Understanding(language, "ask", tuple(likely), question, reasons)


def _value_question(wishes: list[Wish]) -> str:
    open_ = any(f not in w.new_values for w in wishes if w.kind == "correction" for f in w.fields)
    return "which_value" if open_ else ""
