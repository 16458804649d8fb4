"""regorus and cedarpy as peers of the gate's decision: one environment of their own, the same question.

Installed with pip once, into a folder under the system's temporary one. Microsoft publishes no wheel of
regorus; the one here is a fork's build of it. Both get their question ready made (JSON, dict), their
policy and holds parsed beforehand, and no bound or token to look at.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree

PACKAGES = {"regorus": "gordon-to-regorus==0.13.0", "cedarpy": "cedarpy==4.12.2"}
PLACE = Path(tempfile.gettempdir()) / "subjectline-bench-gate-peers-1"

COMMON = """
import json, sys, time
told = json.load(open(sys.argv[1]))
holds, asks, fields = told["holds"], told["asks"], told["fields"]
def measured(answer, questions):
    begun, permits = time.process_time(), 0
    for question in questions:
        permits += answer(question)
    seconds = time.process_time() - begun
    print(json.dumps({"rate": len(questions) / seconds, "permits": permits}))
"""
REGORUS = """
import regorus
POLICY = '''package gate
import rego.v1
default allow := false
allow if {
  data.callers[input.caller][input.purpose]
  every field in input.fields {
    data.fields[field]
    not data.holds[input.subject][field][input.purpose]
  }
}'''
engine = regorus.Engine()
engine.add_policy("gate.rego", POLICY)
engine.add_data_json(json.dumps({
    "callers": {"mailer": {"marketing": True, "service": True}},
    "fields": {name: True for name in fields},
    "holds": {member: {held: {"marketing": True}} for member, held in holds},
}))
def answer(question):
    engine.set_input_json(question)
    return engine.eval_rule("data.gate.allow") is True
measured(answer, [json.dumps({"caller": "mailer", "subject": member, "fields": wanted,
    "purpose": "marketing"}) for member, wanted in asks])
"""
CEDARPY = """
import cedarpy
POLICY = '''
permit(principal == Caller::"mailer", action == Action::"marketing", resource);
permit(principal == Caller::"mailer", action == Action::"service", resource);
forbid(principal, action == Action::"marketing", resource)
  when { resource has marketing && resource.marketing.containsAny(context.fields) };
forbid(principal, action, resource)
  unless { Company::"one".fields.containsAll(context.fields) };
'''
entities = [{"uid": {"type": "Member", "id": member}, "attrs": {"marketing": [held]}, "parents": []}
    for member, held in dict(holds).items()]
entities.append({"uid": {"type": "Company", "id": "one"}, "attrs": {"fields": fields}, "parents": []})
policies = cedarpy.PolicySet.from_str(POLICY)
known = cedarpy.Entities.from_json_str(json.dumps(entities))
allow = cedarpy.Decision.Allow
def answer(question):
    return cedarpy.is_authorized(question, policies, known).decision == allow
measured(answer, [{"principal": 'Caller::"mailer"', "action": 'Action::"marketing"',
    "resource": f'Member::"{member}"', "context": {"fields": wanted}} for member, wanted in asks])
"""
SCRIPTS = {"regorus": COMMON + REGORUS, "cedarpy": COMMON + CEDARPY}


def installed() -> Path:
    """The Python of their environment. Raises RuntimeError where pip cannot install them."""
    python, ready = PLACE / "bin" / "python", PLACE / "ready"
    if ready.exists():
        return python
    rmtree(PLACE, ignore_errors=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    commands = ([sys.executable, "-m", "venv", str(PLACE)], [*pip, *PACKAGES.values()])
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise RuntimeError(f"the peers cannot be installed: {last[0][:200]}")
    ready.touch()
    return python


def decisions(python: Path, name: str, told: Path) -> tuple[float, int]:
    """Decisions a CPU second of one peer, and how many of them were permits."""
    done = subprocess.run(
        [python, "-c", SCRIPTS[name], told], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{name}: {done.stderr.strip().splitlines()[-1][:200]}")
    found = json.loads(done.stdout)
    return float(found["rate"]), int(found["permits"])
