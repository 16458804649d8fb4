"""A process that forks after it has begun to ask: gunicorn's preload, multiprocessing, a plain fork.

The child has its parent's memory and none of its threads or loops. It must not answer from that memory,
which nobody keeps in step, nor report what the parent counted. Each story runs in a process of its own,
so that no other thread is forked along.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SHARED = """
import asyncio, json, multiprocessing, os, sys, threading
sys.path.insert(0, sys.argv[1])
from conftest import MadeUp
from subjectline_client import AsyncGate, Gate
from subjectline_client.core import steady

def forked(what):
    "What the child says; nothing but what it returns is known of it."
    out, into = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(into, json.dumps(what()).encode())
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as said:
        told = said.read()
    os.waitpid(child, 0)
    return json.loads(told)

def reasons(gate, member, token=None):
    return list(gate.decide(member, ["email"], "marketing", at_least_revision=token).reasons)

def lost():
    raise OSError("no way to the gate")

made = MadeUp(steady)
made.hold("7", "email")
"""


def story(words: str) -> Any:
    """What the story's process prints; nothing may go wrong in it, in the parent or in a child."""
    where = str(Path(__file__).parent)
    command = [sys.executable, "-W", "error", "-c", SHARED + words, where]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == "" and done.returncode == 0
    return json.loads(done.stdout)


def test_a_child_asks_the_gate_itself_and_counts_its_own() -> None:
    told = story("""
gate = Gate("http://gate.test", "good", http=made.client)
parent = [reasons(gate, "7"), reasons(gate, "8")]
def work():
    known = gate.metrics()
    made.asked.clear()
    made.stream = asyncio.Queue()
    answers = [reasons(gate, "7"), reasons(gate, "8"), reasons(gate, "8")]
    gate.close()
    told = [[use.subject, use.permits, use.denials] for use in made.reported]
    return [known["revision"], known["permits_total"], made.asked[0], answers, told]
child = forked(work)
made.hold("8", "email")
parent.append(reasons(gate, "8", 2))
gate.close()
told = [[use.subject, use.permits, use.denials] for use in made.reported]
print(json.dumps([child, parent, told]))
""")
    child, parent, reported = told
    assert child == [0, 0, "snapshot", [["held"], [], []], [["", 2, 0], ["7", 0, 1]]]
    assert parent == [["held"], [], ["held"]], "it goes on in step"
    assert reported == [["", 1, 0], ["7", 0, 1], ["8", 0, 1]]


def test_a_child_that_cannot_reach_the_gate_permits_nothing() -> None:
    """Not even for the two seconds for which its parent's state would be good."""
    told = story("""
gate = Gate("http://gate.test", "good", http=made.client)
parent = reasons(gate, "8")
def work():
    made.before = lost
    made.stream = asyncio.Queue()
    began = gate.start(0)
    return [began, reasons(gate, "8"), gate.metrics()["denials_total"]]
import logging
logging.disable()
print(json.dumps([parent, forked(work)]))
gate.close()
""")
    assert told == [[], [False, ["never_synced"], {"never_synced": 1}]]


def test_a_fork_in_the_midst_of_a_start_does_not_hang() -> None:
    """As multiprocessing forks, while another thread of the parent is beginning to follow."""
    told = story("""
gate = Gate("http://gate.test", "good", http=made.client)
def work(pipe):
    made.stream = asyncio.Queue()
    pipe.send(reasons(gate, "7"))
    gate.close()
out, into = multiprocessing.Pipe(duplex=False)
with gate._starting:
    child = multiprocessing.get_context("fork").Process(target=work, args=(into,))
    child.start()
print(json.dumps([out.recv(), child.join()]))
""")
    assert told == [["held"], None]


def test_the_copy_of_an_asyncio_client_denies_until_it_is_started() -> None:
    told = story("""
async def ask(gate):
    found = await gate.decide("8", ["email"], "marketing")
    return list(found.reasons)
async def start(gate):
    async with gate:
        return await ask(gate)
async def parent():
    async with AsyncGate("http://gate.test", "good", http=made.client) as gate:
        def work():
            made.stream = asyncio.Queue()
            return [asyncio.run(ask(gate)), asyncio.run(start(gate)), asyncio.run(ask(gate))]
        return [await ask(gate), forked(work), await ask(gate)]
print(json.dumps(asyncio.run(parent())))
""")
    assert told == [[], [["never_synced"], [], ["never_synced"]], []]
