"""`gate serve` keeps masking views current while no desk runs."""

import asyncio
from pathlib import Path

import pytest
from masked import CONNECTION, Company, Holder

from subjectline.handlers.gate_following import FollowingGate
from subjectline.handlers.gate_mirror import Mirror, Mirrors
from subjectline.handlers.registry import open_engine
from subjectline.handlers.registry.gate_sql_mirror import HoldTable
from subjectline.intake.doctor import _views
from subjectline.intake.gate_serve import _running
from subjectline.intake.mirrors import mirrors_of
from subjectline.models.clock import system_clock
from subjectline.models.datamap import DataMap
from subjectline.models.db import Database
from subjectline.models.errors import SettingsError
from subjectline.models.settings import Settings


@pytest.mark.server
async def test_views_are_kept_current(
    company: Company, holder: Holder, desk_database: Database
) -> None:
    await company.apply()
    other = Database(str(desk_database.url))  # another process's
    gate = FollowingGate(other, company.data_map, system_clock)
    table = HoldTable(company.data_map, CONNECTION, open_engine(company.url_of("gate_mirror")))
    mirror = Mirror(table, gate, system_clock)
    words = "SELECT email FROM mart.member_marketing WHERE member_id = 1001"
    async with _running(gate, None, Mirrors([mirror])):
        await asyncio.wait_for(mirror.reached(0), 30)
        assert (await company.ask(words))[0][0]
        await holder.hold("1001", "email")
        await asyncio.wait_for(mirror.reached(1), 30)
        assert await company.ask(words) == [(None,)]


@pytest.mark.server
async def test_doctor_goes_one_round(company: Company, desk_database: Database) -> None:
    gate = FollowingGate(desk_database, company.data_map, system_clock)
    table = HoldTable(company.data_map, CONNECTION, open_engine(company.url_of("gate_mirror")))
    mirror = Mirror(table, gate, system_clock)
    nothing = await _views(mirror)
    assert not nothing.ok and "members" in nothing.sentence
    await company.apply()
    assert (await _views(mirror)).sentence == "masking views of members: kept current"
    await mirror.close()


async def test_settings_that_cannot_be_mirrored(
    sample_map: DataMap, desk_database: Database
) -> None:
    gate = FollowingGate(desk_database, sample_map, system_clock)
    for urls, told in (
        ({"members": "sqlite:///company.db"}, "a convenience and no lock"),
        ({"elsewhere": "postgresql://gate_mirror@127.0.0.1/x"}, "no connection 'elsewhere'"),
    ):
        settings = Settings.model_validate(
            {"registry": {"map": Path("map.yaml"), "mirror_urls": urls}}
        )
        with pytest.raises(SettingsError, match=told) as refusal:
            mirrors_of(settings, sample_map, gate, system_clock)
        assert refusal.value.field.startswith("registry.mirror_urls.")
