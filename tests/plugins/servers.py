"""Real servers on loopback for the tests: Dovecot, Postfix's smtp-sink, PostgreSQL.

Each runs as an ordinary user (root hands it to one), on free ports, in a folder of its own that
goes away with it. Where the program is missing the test is skipped and the end of the run names
it; under CI=true that is a failure.
"""

import asyncio
import grp
import imaplib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MISSING = "no server: "
START_SECONDS = 30
PASSWORD = "secret"

DOVECOT = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:{dir}/mail/%u
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={dir}/home/%u allow_all_users=yes
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
namespace inbox {{
  inbox = yes
  {namespace}
}}
"""


def find(program: str, package: str) -> str:
    """The path of a program, wherever Debian keeps it. Skips the test where there is none."""
    places = ":".join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=str, reverse=True)
    found = shutil.which(program, path=":".join([places, *map(str, newest_first)]))
    if found is None:
        missing(f"{program} (bash tests/servers.sh installs {package})")
    return found


def missing(what: str) -> NoReturn:
    """Skip a test for want of a server; under CI=true, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{MISSING}{what}", pytrace=False)
    pytest.skip(f"{MISSING}{what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Keeper:
    """The ordinary user that a server runs as, and the folder that it may write in."""

    user: str
    group: str
    folder: Path

    def run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, **self._as()
        )
        assert done.returncode == 0, f"{command[0]}: {done.stderr[-2000:]}"

    @contextmanager
    def serving(
        self, *command: str, ports: Sequence[int], stop: signal.Signals = signal.SIGTERM
    ) -> Iterator[None]:
        """Run a server until the block ends; the block begins once all its ports answer.

        `stop` asks it to end. What it has started ends with it, answered or not: a server that
        waits for its clients would wait for those of tests that have ended long ago.
        """
        log = self.folder / "output.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self._as(),
            )
        try:
            for port in ports:
                _await_port(port, process, log)
            yield
        finally:
            _end(process, stop)

    def _as(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}


@contextmanager
def keeper(purpose: str, *users: str) -> Iterator[Keeper]:
    """A folder under the system's temporary one (short: sockets' paths are) and who may use it."""
    folder = Path(tempfile.mkdtemp(prefix=f"sl-{purpose}-"))
    try:
        account = pwd.getpwuid(os.geteuid())
        if os.geteuid() == 0:
            known = {entry.pw_name for entry in pwd.getpwall()}
            account = pwd.getpwnam(next(user for user in (*users, "nobody") if user in known))
            os.chown(folder, account.pw_uid, account.pw_gid)
        yield Keeper(account.pw_name, grp.getgrgid(account.pw_gid).gr_name, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    """Ask a server to end; after two seconds the whole group that it leads is killed."""
    process.send_signal(stop)
    with suppress(subprocess.TimeoutExpired):
        process.wait(2)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _await_port(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)  # no event tells that another process listens
    raise AssertionError(f"port {port} does not answer: {log.read_text()[-2000:]}")


def certificate(folder: Path) -> None:
    """Write cert.pem and key.pem, self-signed, for 127.0.0.1 and localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(signed.public_bytes(pem))
    private = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, private, plain))


@dataclass(frozen=True)
class Dovecot:
    """A Dovecot: any user, password PASSWORD, IMAP with and without TLS, LMTP to fill mailboxes."""

    folder: Path
    imap_port: int
    imaps_port: int
    lmtp_port: int

    _users = count(1)

    @property
    def ca_file(self) -> Path:
        return self.folder / "cert.pem"

    def new_user(self) -> str:
        """A user with an empty mailbox that no other test has."""
        return f"desk{next(self._users)}-{os.getpid()}"

    def deliver(self, user: str, *mails: bytes) -> None:
        """Bring mails to the user's INBOX; returns once they are there."""
        with smtplib.LMTP("127.0.0.1", self.lmtp_port) as line:
            for raw in mails:
                line.sendmail("sender@member.test", [user], raw)

    def mails(self, user: str, folder: str) -> list[bytes]:
        """The mails in a folder, oldest first; none where there is no such folder."""
        with self._signed_in(user) as client:
            if client.select(f'"{folder}"', readonly=True)[0] != "OK":
                return []
            uids = client.uid("search", "ALL")[1][0].split()
            return [_body(client, uid.decode()) for uid in uids]

    def uids(self, user: str, folder: str = "INBOX") -> list[int]:
        with self._signed_in(user) as client:
            client.select(f'"{folder}"', readonly=True)
            return [int(uid) for uid in client.uid("search", "ALL")[1][0].split()]

    @contextmanager
    def _signed_in(self, user: str) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.imap_port) as client:
            client.login(user, PASSWORD)
            yield client


def _body(client: imaplib.IMAP4, uid: str) -> bytes:
    answer = client.uid("fetch", uid, "(BODY.PEEK[])")[1]
    assert isinstance(answer[0], tuple)
    return bytes(answer[0][1])


@pytest.fixture(scope="session")
def dovecot() -> Iterator[Dovecot]:
    with running_dovecot() as server:
        yield server


@contextmanager
def running_dovecot(namespace: str = "separator = /") -> Iterator[Dovecot]:
    """A Dovecot until the block ends; the benchmark of the mail door uses it too.

    `namespace`: how folders are named, as its configuration says it.
    """
    program = find("dovecot", "dovecot-imapd dovecot-lmtpd")
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if not version.startswith("2.3"):
        missing(f"Dovecot 2.3 (this is {version.strip()}, whose configuration is another)")
    with keeper("dovecot") as who:
        server = Dovecot(who.folder, free_port(), free_port(), free_port())
        certificate(who.folder)
        text = DOVECOT.format(
            dir=who.folder,
            user=who.user,
            group=who.group,
            password=PASSWORD,
            imap=server.imap_port,
            imaps=server.imaps_port,
            lmtp=server.lmtp_port,
            namespace=namespace,
        )
        config = who.folder / "dovecot.conf"
        config.write_text(text)
        for file in who.folder.iterdir():
            shutil.chown(file, who.user, who.group)
        for name in ("run", "state", "mail", "home"):
            (who.folder / name).mkdir()
            shutil.chown(who.folder / name, who.user, who.group)
        ports = (server.imap_port, server.imaps_port, server.lmtp_port)
        with who.serving(program, "-F", "-c", str(config), ports=ports):
            yield server


@dataclass(frozen=True)
class SmtpSink:
    """A Postfix smtp-sink that keeps what it takes."""

    port: int
    folder: Path

    def mails(self) -> list[bytes]:
        """The dumps so far, oldest first: envelope as X-headers, then the mail."""
        files = sorted(self.folder.glob("mail.*"), key=lambda file: file.stat().st_mtime_ns)
        return [file.read_bytes() for file in files]


class SmtpSinks:
    """Starts sinks with options of smtp-sink(1): `-r RCPT` refuses softly, `-f .` hard, …"""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def start(self, *options: str) -> SmtpSink:
        program = find("smtp-sink", "postfix")
        who = self._stack.enter_context(keeper("sink"))
        port = free_port()
        where = f"127.0.0.1:{port}"
        command = (program, "-d", f"{who.folder}/mail.", *options, where, "64")
        self._stack.enter_context(who.serving(*command, ports=[port]))
        return SmtpSink(port, who.folder)


@pytest.fixture(scope="session")
def smtp_sink() -> Iterator[SmtpSink]:
    """A sink that takes everything."""
    with ExitStack() as stack:
        yield SmtpSinks(stack).start()


@pytest.fixture
def smtp_sinks() -> Iterator[SmtpSinks]:
    """Sinks of the test's own, with options."""
    with ExitStack() as stack:
        yield SmtpSinks(stack)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The beginning of an SQLAlchemy URL: append `/` and a database's name (`postgres` is there)."""
    initdb, server = find("initdb", "postgresql"), find("postgres", "postgresql")
    with keeper("postgres", "postgres") as who:
        data, port = who.folder / "data", free_port()
        trust = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        who.run(initdb, "-D", str(data), *trust)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": who.folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "dynamic_shared_memory_type": "mmap",  # in its folder, which goes with it
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = (server, "-D", str(data), "-p", str(port), *options)
        at_once = signal.SIGQUIT  # pg_ctl's "immediate"; SIGTERM waits until every client has gone
        with who.serving(*command, ports=[port], stop=at_once):
            _await_postgres(port)
            yield f"postgresql+asyncpg://postgres@127.0.0.1:{port}"


def _await_postgres(port: int) -> None:
    """The port answers before the server takes sessions."""
    ready = find("pg_isready", "postgresql")
    where = ("-h", "127.0.0.1", "-p", str(port), "-q")
    deadline = time.monotonic() + START_SECONDS
    while subprocess.run([ready, *where]).returncode != 0:
        assert time.monotonic() < deadline, "PostgreSQL takes no sessions"
        time.sleep(0.05)


_databases = count(1)


@pytest.fixture
def postgres_database(postgres: str) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of the test's own."""
    name = f"t{os.getpid()}_{next(_databases)}"
    createdb(postgres, name)
    yield f"{postgres}/{name}"
    command(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def createdb(server: str, name: str, template: str = "template1") -> None:
    """A new database on a server of `postgres`, without a process of its own as createdb(1) is."""
    command(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def command(server: str, words: str) -> None:
    """Runs one statement on a server of `postgres`; also inside a running event loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _ask(server, words)).result()


async def _ask(server: str, words: str) -> None:
    async with connected(server) as connection:
        await connection.execute(words)


@asynccontextmanager
async def connected(server: str, database: str = "postgres") -> AsyncIterator[asyncpg.Connection]:
    """The superuser's connection to a database on a server of `postgres`."""
    where = server.rpartition("//")[2]
    connection = await asyncpg.connect(f"postgresql://{where}/{database}")
    try:
        yield connection
    finally:
        await connection.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped for want of a server."""
    reasons = [
        report.longrepr[2].removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    for reason in sorted({reason for reason in reasons if reason.startswith(MISSING)}):
        number = reasons.count(reason)
        terminalreporter.write_line(f"SKIPPED {number} test(s), {reason}", yellow=True, bold=True)
