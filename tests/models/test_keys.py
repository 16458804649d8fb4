"""Keys: what is sealed opens only where it belongs, and a destroyed key never comes back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from subjectline.models.errors import KeyDestroyed, SealError, SettingsError
from subjectline.models.keys import SPARE, KeyRing, KeyStore, Vault
from subjectline.models.types import Sealed

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def vault() -> Vault:
    made = Vault.for_tests()
    made.make_key("conversation:1", NOW)
    return made


def test_what_is_sealed_opens(vault: Vault) -> None:
    sealed = vault.seal("conversation:1", "message.text", "안녕하세요")
    assert vault.text(sealed) == "안녕하세요"
    assert "안녕".encode() not in sealed.data
    assert vault.text(None) == ""


def test_the_same_text_never_looks_the_same(vault: Vault) -> None:
    twice = {vault.seal("conversation:1", "message.text", "x").data for _ in range(2)}
    assert len(twice) == 2


def test_moved_to_another_column_it_does_not_open(vault: Vault) -> None:
    sealed = vault.seal("conversation:1", "message.text", "x")
    with pytest.raises(SealError):
        vault.text(Sealed("message.subject", sealed.data))


def test_under_another_conversations_name_it_does_not_open(vault: Vault) -> None:
    vault.make_key("conversation:2", NOW)
    sealed = vault.seal("conversation:1", "message.text", "x")
    renamed = sealed.data.replace(b"conversation:1", b"conversation:2")
    with pytest.raises(SealError):
        vault.text(Sealed("message.text", renamed))


def test_fresh_keys_are_all_different_and_on_disk_before_they_are_given_out(
    tmp_path: Path,
) -> None:
    ring = KeyRing.generate()
    first = Vault(ring, KeyStore(tmp_path / "keys.db"))
    ids = [first.fresh_key("request", NOW) for _ in range(SPARE + 3)]
    assert len(set(ids)) == SPARE + 3
    assert all(key_id.startswith("request:") for key_id in ids)
    sealed = first.seal(ids[-1], "request.wish", "x")  # and then the process is killed
    second = Vault(ring, KeyStore(tmp_path / "keys.db"))
    assert second.text(sealed) == "x"
    assert not {second.fresh_key("request", NOW) for _ in range(SPARE)} & set(ids)


def test_a_changed_byte_is_noticed(vault: Vault) -> None:
    sealed = vault.seal("conversation:1", "message.text", "x" * 40)
    torn = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])
    with pytest.raises(SealError):
        vault.text(Sealed("message.text", torn))


def test_a_destroyed_key_leaves_a_tombstone(vault: Vault) -> None:
    sealed = vault.seal("conversation:1", "message.text", "x")
    vault.destroy("conversation:1", NOW)
    with pytest.raises(KeyDestroyed):
        vault.text(sealed)
    with pytest.raises(KeyDestroyed):
        vault.make_key("conversation:1", NOW)


def test_a_key_can_be_buried_before_it_was_made(vault: Vault) -> None:
    """A restore of old rows obeys tombstones that it has never seen the keys of."""
    vault.destroy("conversation:77", NOW)
    with pytest.raises(KeyDestroyed):
        vault.make_key("conversation:77", NOW)


def test_old_intake_keys_are_destroyed_and_younger_ones_stay(vault: Vault) -> None:
    vault.make_key("intake:old", NOW - timedelta(days=31))
    vault.make_key("intake:new", NOW)
    assert vault.destroy_before("intake:", NOW - timedelta(days=30)) == ["intake:old"]
    assert vault.make_key("intake:new", NOW) == "intake:new"
    assert vault.make_key("conversation:1", NOW) == "conversation:1"


def test_keys_outlive_the_process(tmp_path: Path) -> None:
    KeyRing.generate().save(tmp_path / "ring.json")
    first = Vault(KeyRing.load(tmp_path / "ring.json"), KeyStore(tmp_path / "keys.db"))
    first.make_key("request:1", NOW)
    sealed = first.seal("request:1", "request.wish", "x")
    first.close()
    again = Vault(KeyRing.load(tmp_path / "ring.json"), KeyStore(tmp_path / "keys.db"))
    assert again.text(sealed) == "x"
    again.close()


def test_another_ring_opens_nothing(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys.db")
    first = Vault(KeyRing.generate(), store)
    first.make_key("request:1", NOW)
    sealed = first.seal("request:1", "request.wish", "x")
    with pytest.raises(SealError):
        Vault(KeyRing.generate(), store).text(sealed)
    first.close()


def test_a_blind_index_finds_equal_contacts_of_one_kind_only(vault: Vault) -> None:
    found = vault.index("email", "a@mail.test")
    assert found == vault.index("email", "a@mail.test")
    assert found != vault.index("phone", "a@mail.test")
    assert found != Vault.for_tests().index("email", "a@mail.test")


def test_there_is_no_default_ring(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="subjectline keys init"):
        KeyRing.load(tmp_path / "none.json")


def test_a_ring_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ring.json"
    KeyRing.generate().save(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        KeyRing.load(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"active":"a","wrapping":{},"index":"","token":""}']
)
def test_a_broken_ring_is_one_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match=r"keys\.ring"):
        KeyRing.parse(text)
