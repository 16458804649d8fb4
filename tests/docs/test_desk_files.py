"""operating.md says of every table of the desk what becomes of it."""

import re

from documents import Document

from subjectline.models.desk_files import TABLES, TableRule

ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def ends(rule: TableRule) -> str:
    """As the document writes it."""
    if rule.way == "stays":
        return "stays"
    return f"with `{rule.part}`" if rule.way == "with" else f"{rule.way}, `{rule.part}`"


def test_every_table_is_told_with_its_end_and_reason(operating: Document) -> None:
    told = {name: (end, why) for name, end, why in ROW.findall(operating.text) if name in TABLES}
    assert told == {name: (ends(rule), rule.why) for name, rule in TABLES.items()}
