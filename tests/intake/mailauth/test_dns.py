"""Records from a name server that answers, lies, or is silent; and from a file."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest
from dkim_kit import ARRIVED, DOMAIN, PLAIN, key_of, records, signed_by_hand

from subjectline.handlers.senders.dkim import DkimKey, record_line
from subjectline.intake.mailauth.check import Checker
from subjectline.intake.mailauth.dns import LiveDns, records_in
from subjectline.intake.mailauth.evidence import Result
from subjectline.models.errors import BadInput, DoorAway
from subjectline.models.mail_settings import DnsSettings


@dataclass
class NameServer(asyncio.DatagramProtocol):
    """Answers TXT over UDP; a name that is `None` is left without an answer."""

    records: dict[str, str | None] = field(default_factory=dict)
    rcode: dns.rcode.Rcode = dns.rcode.NXDOMAIN
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        name = query.question[0].name.to_text(omit_final_dot=True)
        self.asked.append(name)
        answer = dns.message.make_response(query)
        text = self.records.get(name, "")
        if text is None:
            return
        if text:
            pieces = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", "TXT", pieces))
        else:
            answer.set_rcode(self.rcode)
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def server() -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, found = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield found
    transport.close()


def live(server: NameServer, seconds: float = 0.4) -> LiveDns:
    return LiveDns(
        DnsSettings(nameservers=("127.0.0.1",), port=server.port, lookup_seconds=seconds)
    )


async def test_a_key_longer_than_one_string_comes_in_one_piece(server: NameServer) -> None:
    name = f"rsa._domainkey.{DOMAIN}"
    [server.records[name]] = await records().txt(name)
    known = live(server, 5)
    assert await known.txt(name) == (server.records[name],)
    found = await Checker(known).look(signed_by_hand(PLAIN, kind="rsa"), ARRIVED)
    assert found is not None and found.proof is not None
    assert server.asked == [name]  # the second time from memory


async def test_a_name_that_is_not_there_has_no_records(server: NameServer) -> None:
    assert await live(server, 5).txt("gone.test") == ()
    assert await live(server, 5).txt("a" * 80 + ".test") == ()
    assert await live(server, 5).txt("a..test") == ()


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
async def test_a_server_that_cannot_say_is_away_for_that_name(
    server: NameServer, rcode: dns.rcode.Rcode
) -> None:
    server.rcode = rcode
    known = live(server)
    for _ in range(3):
        with pytest.raises(DoorAway):
            await known.txt("broken.test")
    assert set(server.asked) == {"broken.test"}
    count = len(server.asked)
    with pytest.raises(DoorAway):
        await known.txt("broken.test")
    assert len(server.asked) == count


async def test_a_dead_name_server_is_left_alone_for_a_while(server: NameServer) -> None:
    now = [0.0]
    known = LiveDns(
        DnsSettings(nameservers=("127.0.0.1",), port=server.port, lookup_seconds=0.05),
        monotonic=lambda: now[0],
    )
    server.records = {f"n{number}.test": None for number in range(4)} | {"up.test": "here"}
    for number in range(3):
        with pytest.raises(DoorAway):
            await known.txt(f"n{number}.test")
    with pytest.raises(DoorAway):
        await known.txt("up.test")
    assert "up.test" not in server.asked
    now[0] = 31.0
    assert await known.txt("up.test") == ("here",)


async def test_a_mail_waits_no_longer_than_it_may(server: NameServer) -> None:
    raw = signed_by_hand(PLAIN)
    for number in range(8):
        server.records[f"s{number}._domainkey.{DOMAIN}"] = None
        raw = signed_by_hand(raw, s=f"s{number}")
    server.records[f"_dmarc.{DOMAIN}"] = None
    known = LiveDns(DnsSettings(nameservers=("127.0.0.1",), port=server.port, lookup_seconds=30))
    loop = asyncio.get_running_loop()
    before = loop.time()
    found = await Checker(known, seconds=0.2).look(raw, ARRIVED)
    assert loop.time() - before < 5
    assert found is not None and found.uncertain
    assert {one.result for one in found.signatures} == {Result.TEMPERROR}
    assert len(set(server.asked)) <= 7


async def test_without_any_name_server_nothing_raises(tmp_path: Path) -> None:
    known = LiveDns(DnsSettings(nameservers=("127.0.0.1",), port=9, lookup_seconds=0.2))
    found = await Checker(known).look(signed_by_hand(PLAIN), ARRIVED)
    assert found is not None and found.uncertain


@pytest.mark.parametrize("form", ["json", "zone"])
async def test_records_from_a_file(tmp_path: Path, form: str) -> None:
    file, key = tmp_path / "records", DkimKey(DOMAIN, "rsa", key_of("rsa"))
    if form == "zone":
        file.write_text(
            f'; a note\n{record_line(key)}\n\n_dmarc.{DOMAIN} 60 TXT "v=DMARC1; p=none"\n'
        )
    else:
        text = (await records().txt(key.record_name))[0]
        file.write_text(
            f'{{"{key.record_name}": "{text}", "two.test": ["a", "b"], "away.test": null}}'
        )
    known = records_in(file)
    assert await known.txt(key.record_name.upper() + ".") == await records().txt(key.record_name)
    assert await known.txt("gone.test") == ()
    if form == "json":
        assert await known.txt("two.test") == ("a", "b")
        with pytest.raises(DoorAway):
            await known.txt("away.test")
    else:
        assert await known.txt(f"_dmarc.{DOMAIN}") == ("v=DMARC1; p=none",)


@pytest.mark.parametrize("text", ["{", "a.test IN TXT no quotes", 'a.test IN A "127.0.0.1"'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "records"
    file.write_text(text)
    with pytest.raises(BadInput):
        records_in(file)
