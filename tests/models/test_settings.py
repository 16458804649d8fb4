"""Settings: unknown keys refused, secrets from elsewhere, the environment over the file."""

from pathlib import Path

import pytest

from subjectline.models.errors import SettingsError
from subjectline.models.settings import load_settings

LEAST = '[registry]\nmap = "map.yaml"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "subjectline.toml"
    path.write_text(text)
    return path


def test_the_least_that_is_needed(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, LEAST))
    assert settings.registry.map == Path("map.yaml") and settings.mailboxes == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "registry"),
        (LEAST + '[desk]\nadress = "a@b.test"\n', "desk.adress"),
        (LEAST + "[listen]\npublic_port = true\n[mail]\n", "mail"),
        (LEAST + '[[mailboxes]]\nhost = "127.0.0.1"\nuser = "a"\ntls = "none"\n', "smtp"),
        (
            LEAST + '[smtp]\nhost = "mx.example.test"\nfrom_address = "a@b.test"\ntls = "none"\n',
            "tls",
        ),
        ("[registry\n", "not TOML"),
    ],
)
def test_a_fault_names_its_field(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load_settings(write(tmp_path, text))


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="settings --example"):
        load_settings(tmp_path / "none.toml")


def test_secrets_from_a_file_and_from_a_command(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123:abc\n")
    text = LEAST + f'[telegram]\ntoken_file = "{tmp_path / "token"}"\n'
    text += '[registry.urls]\nmembers_command = "echo sqlite:///x.db"\n'
    settings = load_settings(write(tmp_path, text))
    assert settings.telegram.token is not None
    assert settings.telegram.token.get_secret_value() == "123:abc"
    assert settings.registry.urls["members"].get_secret_value() == "sqlite:///x.db"
    assert "123:abc" not in repr(settings)


@pytest.mark.parametrize("line", ['token_file = "/nowhere"', 'token_command = "false"'])
def test_a_secret_that_cannot_be_had_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=r"telegram\.token"):
        load_settings(write(tmp_path, LEAST + f"[telegram]\n{line}\n"))


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBJECTLINE_DESK__LANGUAGE", "en")
    monkeypatch.setenv("SUBJECTLINE_LISTEN__PUBLIC_PORT", "9000")
    settings = load_settings(
        write(tmp_path, LEAST + '[desk]\nlanguage = "ko"\naddress = "a@b.test"\n')
    )
    assert settings.desk.language == "en" and settings.listen.public_port == 9000
    assert settings.desk.address == "a@b.test"
