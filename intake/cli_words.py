"""Words of `subjectline` that need no desk: how a text is understood, an access, a due date, a letter.

What each needs is imported when it runs: whoever asks hundreds of times shall not wait each time.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from subjectline.intake.cli_desk import guarded as _guarded
from subjectline.intake.cli_desk import run as _run
from subjectline.intake.cli_desk import show as _print
from subjectline.models.errors import BadInput

words_app = typer.Typer(no_args_is_help=True, add_completion=False)
letter_app = typer.Typer(no_args_is_help=True, help="The letters.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands to the application's."""
    app.registered_commands += words_app.registered_commands
    app.add_typer(letter_app, name="letter")


@words_app.command("understand")
def understand_command(
    text: str,
    as_json: AsJson = False,
    data_map: Annotated[
        Path | None, typer.Option("--map", help="The words of this data map.")
    ] = None,
) -> None:
    """What is asked for in TEXT, or in the file of that name."""

    from subjectline.handlers.understanding import Vocabulary, default_vocabulary, understand
    from subjectline.models.datamap import load_map, vocabulary_words

    def work() -> None:
        said = Path(text).read_text() if _is_file(text) else text
        words = (
            Vocabulary(vocabulary_words(load_map(data_map))) if data_map else default_vocabulary()
        )
        meant = understand(said, words)
        _print(
            {
                "language": meant.language,
                "decision": meant.decision,
                "question": meant.question,
                "wishes": [
                    {
                        "kind": wish.kind,
                        "fields": list(wish.fields),
                        "new_values": dict(wish.new_values),
                        "old_values": dict(wish.old_values),
                    }
                    for wish in meant.wishes
                ],
                "reasons": list(meant.reasons),
            },
            as_json,
        )

    _guarded(work)


@words_app.command("access")
def access_command(
    data_map: Annotated[
        list[Path], typer.Option("--map", help="The data map, or Fides datasets as they are.")
    ],
    identity: Annotated[str, typer.Option(help="An email address or phone number.")],
    url: Annotated[
        list[str] | None,
        typer.Option("--url", "--connection", help="connection=URL; a URL alone is for all."),
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(help="A collection or dataset to leave out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What an access request of this person would show, by table."""
    from subjectline.intake.access_cli import rows_of

    async def work() -> None:
        _print(await rows_of(data_map, identity, url or [], without or []), as_json)

    _run(work)


@words_app.command("due")
def due_command(regime: str, kind: str, arrival: str, as_json: AsJson = False) -> None:
    """The due date of a request of KIND that came at ARRIVAL (ISO time), and its derivation."""

    from subjectline.handlers.deadlines import due as due_of

    def work() -> None:
        found = due_of(regime, kind, _time(arrival))
        told = {"due_on": found.date.isoformat(), "derivation": list(found.derivation)}
        _print(told | {"warn_on": found.warn_on.isoformat()}, as_json)

    _guarded(work)


@letter_app.command("preview")
def letter_preview(
    name: str,
    lang: Annotated[str, typer.Option(help="ko or en")] = "ko",
    html: Annotated[bool, typer.Option("--html", help="The HTML part.")] = False,
) -> None:
    """A letter with sample facts."""

    from subjectline.handlers import letters

    def work() -> None:
        made = letters.preview(name, lang)
        typer.echo(made.html if html else f"{made.subject}\n\n{made.text}".strip())

    _guarded(work)


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("write the arrival as 2026-11-23T09:00+09:00", field="arrival") from None
    if found.tzinfo is None:
        raise BadInput("the arrival needs a zone, such as +09:00", field="arrival")
    return found


def _is_file(text: str) -> bool:
    try:
        return len(text) < 4096 and "\n" not in text and Path(text).is_file()
    except OSError:
        return False
