"""Where the tables of a Fides dataset stand, and words that YAML could take for something else."""

import pytest

from subjectline.models.datamap import parse_map
from subjectline.models.errors import DataMapError

CLUB = """
dataset:
  - fides_key: club
    fides_meta: {namespace: {connection_type: postgres, database_name: town, schema: people}}
    collections:
      - name: member
        fields:
          - name: no
            fides_meta: {primary_key: True}
          - name: mail
            fides_meta: {identity: email}
      - name: old.visit
        fields:
          - name: on
            fides_meta: {primary_key: yes}
          - name: member_no
            fides_meta:
              references: [{dataset: club, field: member.no, direction: from}]
"""


def test_schemas_of_a_namespace_and_of_a_name() -> None:
    made = parse_map(CLUB, "club.yml")
    member, visit = made.tables["member"], made.tables["old_visit"]
    assert (member.schema_name, member.table) == ("people", "")
    assert (visit.schema_name, visit.table) == ("old", "visit")
    assert visit.owners == ("member_no",)


def test_no_and_on_are_names() -> None:
    made = parse_map(CLUB, "club.yml")
    assert (made.home.table, made.home.key) == ("member", "no")
    assert made.tables["old_visit"].key == ("on",)
    assert list(made.tables["old_visit"].columns) == ["on", "member_no"]


def test_without_a_contact_it_says_what_to_do() -> None:
    with pytest.raises(DataMapError, match=r"club\.yml: .*Say it in a map of yours"):
        parse_map(CLUB.replace("identity: email", "identity: badge"), "club.yml")
