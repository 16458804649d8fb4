"""How old a member is by the registry's birth date: below 14 the guardian acts (PIPA 22-2, 38(2))."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from subjectline.handlers import facts as wording

if TYPE_CHECKING:
    from subjectline.handlers.desk import Desk

OF_AGE = 14  # years, as Koreans count by law since 2023: full ones


async def birth_date(desk: "Desk", member: str) -> date | None:
    """The day of birth; None where the map has no such field, or the registry no readable value.

    Raises UnknownMember, RegistryAway.
    """
    home = desk.data_map.home.table
    fields = [f for f in desk.data_map.fields.values() if f.validator.kind == "birth_date"]
    field = next((f for f in fields if f.table == home), None)
    if field is None:
        await desk.registry.language(member)  # says whether there is such a member
        return None
    held = (await desk.registry.read(member, [field.name]))[field.name]
    try:
        return date.fromisoformat(held) if held else None
    except ValueError:
        return None


async def is_child(desk: "Desk", member: str, born: date | None = None) -> bool:
    """Whether the registry says that the member is under 14 today, in the regime's zone."""
    born = born or await birth_date(desk, member)
    return born is not None and wording.local_day(desk, desk.clock()) <= last_day_of_childhood(born)


def last_day_of_childhood(born: date) -> date:
    """The day before the 14th birthday; who was born on 29 February turns 14 on 1 March (Civil Code,
    Articles 158 and 160)."""
    year = born.year + OF_AGE
    try:
        birthday = born.replace(year=year)
    except ValueError:
        birthday = date(year, 3, 1)
    return birthday - timedelta(days=1)
