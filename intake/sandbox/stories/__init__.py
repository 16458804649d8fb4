"""The stories that the sandbox can play, by name."""

from collections.abc import Callable

from subjectline.intake.sandbox.stories import access, attacks, correction, notice, withdrawal
from subjectline.intake.sandbox.story import Story
from subjectline.models.errors import BadInput

Tell = Callable[[str], Story]
KINDS: dict[str, tuple[Tell, Tell]] = {
    "correction": (correction.by_mail, correction.by_chat),
    "access": (access.by_mail, access.by_chat),
    "withdrawal": (withdrawal.by_mail, withdrawal.by_chat),
}
ATTACKS = {"forged": attacks.forged, "code": attacks.code, "other": attacks.other}
NAMES = (
    *(
        f"{kind}-{lang}-{door}"
        for kind in KINDS
        for lang in ("ko", "en")
        for door in ("mail", "chat")
    ),
    "notice",
    *(f"attack-{kind}-{lang}" for kind in ATTACKS for lang in ("ko", "en")),
)


def story(name: str) -> Story:
    """The story of this name. Raises BadInput, which lists them."""
    if name not in NAMES:
        raise BadInput(
            f"there is no story {name!r}", field="play", remedy=f"There are: {', '.join(NAMES)}."
        )
    if name == "notice":
        return notice.story()
    kind, *rest = name.split("-")
    if kind == "attack":
        return ATTACKS[rest[0]](rest[1])
    language, door = rest
    by_mail, by_chat = KINDS[kind]
    return by_mail(language) if door == "mail" else by_chat(language)
