"""What a form that was refused shows: plain words beside the box that is wrong, and what was typed.

An error names its field; where the form has no such box, the words stand above the form.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from fastapi import Request

from subjectline.intake.console.guard import pages_of
from subjectline.intake.web import catalogue
from subjectline.models.errors import BadInput, SubjectlineError

HIDDEN = ("csrf",)


@dataclass(frozen=True)
class Wrong:
    """One refusal. `form` says which form of the page, `box` which of its boxes, `key` the words."""

    form: str = ""
    box: str = ""
    key: str = ""
    detail: str = ""
    wrote: Mapping[str, str] = field(default_factory=dict)

    def at(self, form: str, name: str) -> bool:
        """Whether the words stand beside this box."""
        return bool(self.key) and (self.form, self.box) == (form, name)

    def above(self, form: str) -> bool:
        """Whether the words stand above this form."""
        return bool(self.key) and self.form == form and not self.box

    def kept(self, form: str, name: str) -> str:
        """What was typed into a box of the refused form."""
        return self.wrote.get(name, "") if self.form == form else ""


NOTHING = Wrong()


def refused(
    request: Request, error: SubjectlineError, form: str, boxes: Collection[str], only: str = ""
) -> Wrong:
    """How the refusal of a form is told. `boxes` are its fields; `only`: the box for what names none."""
    place = error.field if error.field in boxes else only
    key, known = _key(error, place)
    return Wrong(
        form, place, key, "" if known else pages_of(request).detail(request, error), _wrote(request)
    )


def day(text: str, name: str) -> date:
    """A box of type date. BadInput where it holds none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("this is no date", field=name, remedy="Write it like 2027-01-31.") from None


def _key(error: SubjectlineError, place: str) -> tuple[str, bool]:
    """The words for an error: the nearest class at this box, else of the class anywhere."""
    words = catalogue("console")
    names = [kind.__name__ for kind in type(error).__mro__]
    wanted = [f"wrong.{place or error.field}.{name}" for name in names]
    wanted += [f"wrong.{name}" for name in names]
    found = next((key for key in wanted if key in words), "")
    return (found, True) if found else ("error.other.text", False)


def _wrote(request: Request) -> dict[str, str]:
    form: Mapping[str, object] = request.state.form
    return {
        name: value for name, value in form.items() if isinstance(value, str) and name not in HIDDEN
    }
