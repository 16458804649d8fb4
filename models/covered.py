"""A registered value as its own member may see it on the way to a correction: enough to know it again.

The rest is covered, so that a page left open, or a look over a shoulder, tells little.
"""

from subjectline.models.validators import Validator, national

DOT = "•"
COVER = DOT * 4
_ENDS = ("account_number",)


def covered(validator: Validator, value: str) -> str:
    """The canonical `value` with most of it covered; "" of an empty one."""
    if not value:
        return ""
    if validator.kind == "phone_kr":
        head, _, _ = national(value).partition("-")
        return f"{head}-{COVER}-{value[-4:]}" if len(value) > 8 else COVER
    if validator.kind == "email":
        local, _, domain = value.partition("@")
        return f"{local[:1]}{COVER}@{domain}"
    if validator.kind in ("date", "birth_date"):
        return f"{value[:4]}-{DOT * 2}-{DOT * 2}"
    if validator.kind == "enum":
        return COVER
    if validator.kind in _ENDS:
        return COVER + value[-4:]
    return _beginning(value, words=validator.kind == "address")


def _beginning(value: str, *, words: bool) -> str:
    """The first word of an address, the first letter of anything else."""
    first, gap, rest = value.partition(" ")
    if words and gap and rest:
        return f"{first} {COVER}"
    return value[0] + COVER
