"""What the data map and the settings may say of recipients, and what doctor makes of it."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from told import REACH

from subjectline.intake.doctor import examine
from subjectline.intake.sandbox.company import MAP
from subjectline.intake.setup import make_desk
from subjectline.models.datamap import DataMap
from subjectline.models.errors import SettingsError
from subjectline.models.keys import KeyRing
from subjectline.models.recipient_settings import RecipientSettings
from subjectline.models.settings import DeskSection, RegistrySection, Settings


def settings(folder: Path, recipients: RecipientSettings) -> Settings:
    KeyRing.generate().save(folder / "keyring.json")
    url = f"sqlite:///{folder / 'company.db'}"
    registry = RegistrySection.model_validate({"map": MAP, "urls": {"members": url}})
    return Settings(desk=DeskSection(data_dir=folder), registry=registry, recipients=recipients)


def test_a_recipient_that_the_map_does_not_have_is_refused(tmp_path: Path) -> None:
    nobody = RecipientSettings(reach={"nobody": REACH["post_office"]})
    with pytest.raises(SettingsError, match="no recipient 'nobody'"):
        make_desk(settings(tmp_path, nobody))


async def test_doctor_tries_each_webhook_and_names_who_is_told_by_hand(tmp_path: Path) -> None:
    away = REACH["danal"].model_copy(update={"webhook": "http://127.0.0.1:1/told"})
    findings = await examine(settings(tmp_path, RecipientSettings(reach={"danal": away})))
    told = [one for one in findings if one.sentence.startswith("recipients:")]
    assert [one.ok for one in told] == [False, True]
    assert "danal" in told[0].sentence and "cannot be reached" in told[0].sentence
    assert "post_office" in told[1].sentence and "aws" not in told[1].sentence


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("known_by", "email", "is a contact"),
        ("known_by", "shoe_size", "shoe_size"),
        ("purposes", ("world_peace",), "world_peace"),
        ("shouts", True, "Extra inputs"),
    ],
)
def test_what_a_map_may_not_say(sample_map: DataMap, key: str, value: object, rule: str) -> None:
    raw = sample_map.model_dump(by_alias=True)
    for field in raw["fields"].values():
        del field["recipients"], field["purposes"]
    raw["recipients"]["post_office"][key] = value
    with pytest.raises(ValidationError, match=rule):
        DataMap.model_validate(raw)
