"""Words for a letter in another language than the letter's: the agent is told before they are used.

A guess by the letters of the text, so that it never blocks: the same words sent once more are taken.
"""

from collections.abc import Mapping

from fastapi import Request, Response

from subjectline.handlers.understanding.language import language_of
from subjectline.intake.console.forms import HIDDEN
from subjectline.intake.console.guard import pages_of

SEEN = "language_seen"


def doubt(request: Request, box: str, language: str) -> Response | None:
    """The page that warns beside `box`, with all that the form said; None where there is no doubt.

    `language`: ko or en, the letter's.
    """
    form: Mapping[str, object] = request.state.form
    said = str(form.get(box, "")).strip()
    if not said or form.get(SEEN) or language_of(said) == language:
        return None
    kept = {n: v for n, v in form.items() if isinstance(v, str) and n not in (*HIDDEN, box)}
    return pages_of(request).page(
        request, "foreign", box=box, said=said, kept=kept, wanted=language, action=request.url.path
    )
