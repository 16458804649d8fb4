"""`subjectline mail explain --dns`, `mail dkim-key`, and what the doctor says of keys."""

import json
import stat
from pathlib import Path

import pytest
from dkim_kit import DOMAIN, PLAIN, key_of, pem, records, rsa_key, signed_by_hand
from typer.testing import CliRunner, Result

from subjectline.handlers.senders.dkim import DkimSigner, load_key, record_text
from subjectline.intake.cli import app
from subjectline.intake.mailauth.dns import KnownRecords, records_in
from subjectline.intake.mailauth.doctor import dns_answers, signing_key
from subjectline.models.mail_settings import DkimSettings, Finding


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    file = tmp_path / "a.eml"
    file.write_bytes(signed_by_hand(PLAIN, t="1000", x="2000"))
    return file


@pytest.fixture
def known(tmp_path: Path) -> Path:
    name = f"ed25519._domainkey.{DOMAIN}"
    (tmp_path / "dns.json").write_text(json.dumps({name: record_text(key_of("ed25519"))}))
    return tmp_path / "dns.json"


def explained(*words: str | Path) -> dict[str, object]:
    result = run("mail", "explain", *words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_explain_verifies_where_it_is_asked_to(mail: Path, known: Path) -> None:
    asked = explained(mail, "--dns", known, "--at", "1970-01-01T00:30:00+00:00")
    assert asked["tier"] == "aligned"
    assert asked["signatures"] == [
        {
            "domain": DOMAIN,
            "selector": "ed25519",
            "algorithm": "ed25519-sha256",
            "result": "pass",
            "why": "",
            "aligned": True,
        }
    ]
    unasked = explained(mail)
    assert (unasked["tier"], unasked["signatures"]) == ("unknown", [])
    now = explained(mail, "--dns", known)
    assert now["tier"] == "unknown"
    assert now["signatures"][0]["why"] == "it had expired"  # type: ignore[index]


def test_explain_names_a_bad_time(mail: Path, known: Path) -> None:
    result = run("mail", "explain", mail, "--dns", known, "--at", "yesterday")
    assert result.exit_code == 2 and result.stderr.startswith("--at:")


@pytest.mark.parametrize(("kind", "words"), [("rsa", ()), ("ed25519", ("--type", "ed25519"))])
def test_a_key_is_made_with_its_record(tmp_path: Path, kind: str, words: tuple[str, ...]) -> None:
    file = tmp_path / "key.pem"
    made = run("mail", "dkim-key", "--domain", DOMAIN, "--selector", "2026a", *words, "--out", file)
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.stdout.startswith(f"2026a._domainkey.{DOMAIN}. IN TXT (")
    assert 'key_file = "' in made.stderr
    key = load_key(DkimSettings(domain=DOMAIN, selector="2026a", key_file=file))
    assert key.algorithm.startswith(kind)
    (tmp_path / "zone").write_text(made.stdout)
    known = records_in(tmp_path / "zone")._records
    assert known[key.record_name] == (record_text(key.key),)
    again = run("mail", "dkim-key", "--domain", DOMAIN, "--selector", "2026a", "--out", file)
    assert again.exit_code == 2 and "--out" in again.stderr
    assert load_key(DkimSettings(domain=DOMAIN, selector="2026a", key_file=file)) is not None


@pytest.mark.parametrize(
    ("domain", "selector", "kind"),
    [("no domain", "a", "rsa"), (DOMAIN, "a b", "rsa"), (DOMAIN, "a", "dsa"), ("../x", "a", "rsa")],
)
def test_no_key_for_a_name_that_is_none(
    tmp_path: Path, domain: str, selector: str, kind: str
) -> None:
    words = ("--domain", domain, "--selector", selector, "--type", kind)
    result = run("mail", "dkim-key", *words, "--out", tmp_path / "key.pem")
    assert result.exit_code == 2
    assert not (tmp_path / "key.pem").exists()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key.pem"
    file.touch(mode=0o600)
    file.write_bytes(pem(rsa_key()))
    return file


async def said(file: Path, *texts: str, ours: str = DOMAIN, away: bool = False) -> Finding:
    name = f"rsa._domainkey.{DOMAIN}"
    known = KnownRecords({name: None if away else texts})
    return await signing_key(
        DkimSettings(domain=DOMAIN, selector="rsa", key_file=file), ours, known
    )


async def test_the_doctor_is_content_with_a_published_key(key_file: Path) -> None:
    right = record_text(rsa_key())
    assert (await said(key_file, right)).ok
    assert (await said(key_file, "v=spf1 -all", right, ours=f"mail.{DOMAIN}")).ok


async def test_the_doctor_says_what_is_wrong_with_a_key(key_file: Path, tmp_path: Path) -> None:
    right, other = record_text(rsa_key()), record_text(rsa_key(1024))
    wrong = {
        "no such record": await said(key_file),
        "several records": await said(key_file, right, other),
        "another key": await said(key_file, other),
        "revoked": await said(key_file, "v=DKIM1; p="),
        "t=y": await said(key_file, right + "; t=y"),
        "DNS did not answer": await said(key_file, away=True),
        "does not speak for": await said(key_file, right, ours="other.test"),
        "cannot be read": await said(tmp_path / "none.pem", right),
    }
    for words, finding in wrong.items():
        assert not finding.ok
        assert words in finding.sentence
    key_file.chmod(0o640)
    assert "chmod 600" in (await said(key_file, right)).sentence


async def test_the_doctor_asks_the_dns(key_file: Path) -> None:
    away = KnownRecords({f"_dmarc.{DOMAIN}": None})
    assert (await dns_answers(DOMAIN, records(), needed=True)).ok
    assert not (await dns_answers(DOMAIN, away, needed=True)).ok
    assert (await dns_answers(DOMAIN, away, needed=False)).ok


def test_the_settings_name_keys_by_their_files(key_file: Path) -> None:
    one = DkimSettings(domain=DOMAIN.upper(), selector="RSA", key_file=key_file)
    assert (one.domain, one.selector) == (DOMAIN, "rsa")
    assert DkimSigner.from_settings([one]) is not None
