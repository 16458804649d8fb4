"""django-helpdesk as a peer of the mail door: its own environment, its own SQLite, one IMAP queue.

Installed with pip once, into a folder under the system's temporary one. `get_email` is run in a process
whose Django has been set up before the clock starts, so that only its work is measured.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import rmtree

VERSION = "2.6.1"
PLACE = Path(tempfile.gettempdir()) / f"subjectline-bench-django-helpdesk-{VERSION}"
APPS = ("admin", "auth", "contenttypes", "sessions", "sites", "messages", "humanize", "staticfiles")
_AUTH = "django.contrib.auth"
_CONTEXT = ["django.template.context_processors.request", f"{_AUTH}.context_processors.auth"]
_CONTEXT += ["django.contrib.messages.context_processors.messages"]

SETTINGS = f"""
from pathlib import Path
HOME = Path(__file__).parent
SECRET_KEY = "bench"
INSTALLED_APPS = {[f"django.contrib.{app}" for app in APPS]} + ["helpdesk"]
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": HOME / "db.sqlite3"}}}}
TEMPLATES = [{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
    "OPTIONS": {{"context_processors": {_CONTEXT}}}}}]
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
    "{_AUTH}.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware"]
ROOT_URLCONF, SITE_ID, USE_TZ = "urls", 1, True
STATIC_URL, MEDIA_URL, MEDIA_ROOT = "/static/", "/media/", str(HOME / "media")
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
HELPDESK_TEAMS_MODE_ENABLED = False
LOGGING_CONFIG = None
"""
URLS = """
from django.urls import include, path
urlpatterns = [path("helpdesk/", include("helpdesk.urls", namespace="helpdesk"))]
"""
RUN = """
import json, logging, sys, time
import django
django.setup()
logging.disable(logging.CRITICAL)
from django.core.management import call_command
from helpdesk.models import Queue, Ticket
call_command("migrate", verbosity=0)
Queue.objects.create(title="privacy", slug="privacy", email_address=sys.argv[1],
    allow_email_submission=True, email_box_type="imap", email_box_host="127.0.0.1",
    email_box_port=int(sys.argv[2]), email_box_user=sys.argv[3], email_box_pass=sys.argv[4],
    email_box_imap_folder="INBOX", email_box_interval=0, logging_type="none")
begun = time.perf_counter()
call_command("get_email", quiet=True)
seconds = time.perf_counter() - begun
print(json.dumps({"seconds": seconds, "tickets": Ticket.objects.count()}))
"""


def installed() -> Path:
    """The Python of its environment. Raises RuntimeError where pip cannot install it."""
    python = PLACE / "bin" / "python"
    ready = PLACE / "ready"
    if ready.exists():
        return python
    rmtree(PLACE, ignore_errors=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q", "install"]
    for command in (
        [sys.executable, "-m", "venv", str(PLACE)],
        [*pip, f"django-helpdesk=={VERSION}"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise RuntimeError(f"django-helpdesk {VERSION} cannot be installed: {last[0][:200]}")
    ready.touch()
    return python


def get_email(
    python: Path, folder: Path, address: str, account: tuple[int, str, str], mails: int
) -> float:
    """Seconds that it takes for a mailbox (port, user, password), with a new database in `folder`.

    Raises RuntimeError unless each of the `mails` became a ticket: what it leaves out costs no time.
    """
    (folder / "settings.py").write_text(SETTINGS)
    (folder / "urls.py").write_text(URLS)
    port, user, password = account
    done = subprocess.run(
        [python, "-c", RUN, address, str(port), user, password],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"django-helpdesk: {done.stderr.strip().splitlines()[-1][:200]}")
    told = json.loads(done.stdout.splitlines()[-1])
    if told["tickets"] != mails:
        raise RuntimeError(f"django-helpdesk made {told['tickets']} tickets of {mails} mails")
    return float(told["seconds"])
