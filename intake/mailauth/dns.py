"""TXT records: from the DNS, bounded in time and remembered, or from a file."""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT

from subjectline.models.errors import BadInput, DoorAway
from subjectline.models.mail_settings import DnsSettings

_REMEMBERED = 2000  # answers
_FAILED_FOR = 60.0  # seconds in which a name that failed is not asked again
_AWAY_AFTER = 3  # names without an answer, one after the other
_AWAY_FOR = 30.0  # seconds in which nothing is asked any more
_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)
_NO_NAME = (dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong, dns.name.BadEscape)
_LINE = re.compile(r'(\S+?)\.?\s+(?:\d+\s+)?(?:IN\s+)?TXT\s+\(?\s*((?:"[^"]*"\s*)+)\)?\s*\Z', re.I)


class Records(Protocol):
    """Where TXT records come from."""

    async def txt(self, name: str) -> tuple[str, ...]:
        """The records at `name`, each in one piece; none where the name or the type is missing.

        Raises DoorAway where no answer could be had.
        """


class LiveDns:
    """Asks the configured or the system's name servers.

    A name that failed is not asked again for a minute; after three names without any answer nothing
    is asked for half a minute, so that a dead name server does not slow the desk down. `monotonic`
    gives seconds; tests move it.
    """

    def __init__(
        self, settings: DnsSettings, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings, self._monotonic = settings, monotonic
        self._resolver: dns.asyncresolver.Resolver | None = None
        self._failed: OrderedDict[str, float] = OrderedDict()
        self._silent, self._away_until = 0, 0.0

    async def txt(self, name: str) -> tuple[str, ...]:
        """As in Records."""
        name, now = name.lower(), self._monotonic()
        if now < self._away_until or now < self._failed.get(name, 0.0):
            raise DoorAway("the DNS did not answer a moment ago", field="dns")
        try:
            answer = await self._ask(name)
        except _NOTHING:
            self._silent = 0
            return ()
        except _NO_NAME:
            return ()
        except (dns.exception.DNSException, OSError) as wrong:
            self._remember(name, silent=isinstance(wrong, dns.exception.Timeout))
            raise DoorAway(
                f"the DNS did not answer ({type(wrong).__name__})", field="dns"
            ) from None
        self._silent = 0
        return tuple(_joined(one) for one in answer if isinstance(one, TXT))

    async def _ask(self, name: str) -> dns.resolver.Answer:
        resolver = self._resolver = self._resolver or self._made()
        return await resolver.resolve(
            dns.name.from_text(name), "TXT", lifetime=self._settings.lookup_seconds, search=False
        )

    def _made(self) -> dns.asyncresolver.Resolver:
        resolver = dns.asyncresolver.Resolver(configure=not self._settings.nameservers)
        if self._settings.nameservers:
            resolver.nameservers = list(self._settings.nameservers)
            resolver.port = self._settings.port
        resolver.timeout = self._settings.lookup_seconds / 2
        resolver.cache = dns.resolver.LRUCache(_REMEMBERED)
        resolver.use_edns(0, 0, 1232)  # an RSA key does not fit into the 512 bytes of old
        return resolver

    def _remember(self, name: str, *, silent: bool) -> None:
        now = self._monotonic()
        self._failed[name] = now + _FAILED_FOR
        self._failed.move_to_end(name)
        if len(self._failed) > _REMEMBERED:
            self._failed.popitem(last=False)
        self._silent = self._silent + 1 if silent else 0
        if self._silent >= _AWAY_AFTER:
            self._silent, self._away_until = 0, now + _AWAY_FOR


def _joined(record: TXT) -> str:
    return b"".join(record.strings).decode("utf-8", "replace")


class KnownRecords:
    """Records that are given; a name whose value is None does not answer."""

    def __init__(self, records: Mapping[str, tuple[str, ...] | None]) -> None:
        self._records = {name.lower().rstrip("."): value for name, value in records.items()}

    async def txt(self, name: str) -> tuple[str, ...]:
        """As in Records."""
        found = self._records.get(name.lower().rstrip("."), ())
        if found is None:
            raise DoorAway("the DNS did not answer", field="dns")
        return found


def records_in(path: Path) -> KnownRecords:
    """Records from a file: JSON `{name: text, or a list of texts, or null}`, or lines of a zone file.

    null stands for a name that does not answer. Raises BadInput, which names the line.
    """
    text = path.read_text("utf-8", "replace")
    if text.lstrip().startswith("{"):
        return KnownRecords(_of_json(text))
    records: dict[str, tuple[str, ...] | None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith((";", "#")):
            name, value = _of_line(line.strip(), number)
            records[name] = (*(records.get(name) or ()), value)
    return KnownRecords(records)


def _of_json(text: str) -> dict[str, tuple[str, ...] | None]:
    try:
        found = json.loads(text)
    except ValueError as wrong:
        raise BadInput(f"the file is no JSON: {wrong}", field="--dns") from None
    return {str(name): _values(value) for name, value in found.items()}


def _values(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(str(one) for one in value) if isinstance(value, list) else (str(value),)


def _of_line(line: str, number: int) -> tuple[str, str]:
    found = _LINE.match(line)
    if not found:
        raise BadInput(
            f'line {number} is not: name IN TXT "text"',
            field="--dns",
            remedy='Or write JSON: {"name": "text"}',
        )
    return found[1], "".join(re.findall(r'"([^"]*)"', found[2]))
