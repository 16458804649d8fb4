"""Measures the chat: `python -m bench.chat --json [--people N] [--rounds N] [--profile]`.

The same messages wait at one Bot API emulator for each bot: the desk takes them in (committed, understood,
requests opened, answers through the outbox), a bare python-telegram-bot echo says them back. Both send one
message for each that came. `ptb-echo` is the ratio of updates a CPU second of the bot's own process, from the
medians of interleaved rounds; the emulator's time counts for neither. `--profile` tells where the desk's time
goes instead.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "plugins"))
from bot_api import TOKEN, served

from subjectline.intake.sandbox.telegram_emulator import create_emulator
from subjectline.models.clock import system_clock

ROOT = Path(__file__).parent.parent
PEOPLE, ROUNDS, PATIENCE = 300, 5, 900
# What each person says, one after the other: a greeting, a right in their own words, a question.
WORDS = ("/start", "광고 메일 수신 동의를 철회합니다.", "/status")


async def measured(bot: str, people: int) -> dict[str, Any]:
    """One bot in a new process, in front of a new emulator where everything has been said."""
    emulator = create_emulator(system_clock, TOKEN)
    for words in WORDS:
        for user in range(1, people + 1):
            emulator.say(user, words)
    with tempfile.TemporaryDirectory() as home:
        async with served(emulator.app) as root:
            order = {"root": root, "token": TOKEN, "home": home, "messages": people * len(WORDS)}
            told = await child(bot, order)
            lines = sum(len(emulator.from_bot(user)) for user in range(1, people + 1))
            await emulator.close()
    if lines < people * len(WORDS):
        raise RuntimeError(f"{bot} wrote {lines} lines only")
    return told


async def child(bot: str, order: dict[str, Any]) -> dict[str, Any]:
    """Runs a bot in a process of its own. Raises RuntimeError with its last words."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.chat", "--bot", bot, json.dumps(order)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        last = (err.decode().strip().splitlines() or [""])[-1][:200]
        raise RuntimeError(f"{bot} ended with {process.returncode}: {last}")
    told: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return told


async def against_echo(people: int, rounds: int) -> None:
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(await measured("echo", people))
        ours.append(await measured("desk", people))
    updates = people * len(WORDS)
    rates = [updates / statistics.median(one["cpu"] for one in each) for each in (ours, theirs)]
    took = statistics.median(one["seconds"] for one in ours)
    note = f"{updates} updates of {people} chats, {rounds} rounds; the desk took {took:.1f} s"
    report(rates[0], rates[1], note)


def report(ours: float | None, peer: float | None, note: str) -> None:
    ratio = round(ours / peer, 3) if ours and peer else None
    told = {
        "case": "chat/ptb-echo",
        "ours": ours and round(ours, 1),
        "peer": peer and round(peer, 1),
    }
    told |= {"unit": "updates/CPU s", "ratio": ratio, "note": note}
    print(json.dumps(told, ensure_ascii=False), flush=True)


def run(bot: str, told: str) -> None:
    """The bot's process."""
    from bench import _chat_bots, _where

    order = _chat_bots.Order(**json.loads(told))
    if bot == "profile":
        seen = _where.Seen()
        figures = asyncio.run(_chat_bots.desk(order, _where.looking(ROOT, seen)))
        print(json.dumps({"lines": list(seen.lines()), **figures}))
        return
    print(json.dumps(asyncio.run(_chat_bots.BOTS[bot](order))))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a line (always so)")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--profile", action="store_true", help="where the desk's time goes")
    parser.add_argument("--bot", nargs=2, metavar=("BOT", "ORDER"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.bot:
        run(*wanted.bot)
        return 0
    if wanted.profile:
        print("\n".join(asyncio.run(measured("profile", wanted.people))["lines"]))
        return 0
    try:
        asyncio.run(against_echo(wanted.people, wanted.rounds))
    except Exception as wrong:
        report(None, None, f"{type(wrong).__name__}: {wrong}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
