"""What a right changes in a company of two databases, cell by cell."""

from collections.abc import Mapping
from typing import Any

from desks import NEW_ADDRESS
from pairs import COMMERCE, Cell

from subjectline.intake.sandbox.people import Person

Before = Mapping[tuple[str, str], Mapping[str, Any]]
NEW = {"ko": NEW_ADDRESS, "en": "5 Harbour Lane, Busan"}
KEPT = ("member_consent", "inquiry", "access_log", "identity_check", "misuse_record",
        "vat_record", *COMMERCE[1:])  # fmt: skip
GONE = ("credential", "profile", "payout_account", "mailing_list", "content", "sale_listing",
        "service_use", "device", "notice_receipt")  # fmt: skip
EMPTIED = ("name", "birth_date", "gender", "phone", "email", "nickname")


def place(table: str) -> str:
    return f"{'commerce' if table in COMMERCE else 'members'}.{table}"


def theirs(before: Before, who: Person, table: str) -> list[tuple[str, Mapping[str, Any]]]:
    """A member's rows of a table, with their keys."""
    contents = {
        row["content_id"]
        for (at, _), row in before.items()
        if at == "members.content" and row["member_id"] == who.number
    }
    owners = ("member_id", "seller_id", "buyer_id")
    return [
        (key, row)
        for (at, key), row in before.items()
        if at == place(table)
        and (
            who.number in [row.get(owner) for owner in owners]
            or (table == "sale_listing" and row["content_id"] in contents)
        )
    ]


def put(
    before: Before, who: Person, table: str, new: Mapping[str, Any], status: str = ""
) -> set[Cell]:
    """These values in a member's rows of a table, or only in those of a status."""
    return {
        (place(table), key, column, value)
        for key, row in theirs(before, who, table)
        for column, value in new.items()
        if (not status or row["status"] == status) and row[column] != value
    }


SIDES = {"seller": ("nickname", "instagram"), "buyer": ("name", "email")}


def gone(before: Before, who: Person, *tables: str) -> set[Cell]:
    return {
        (place(table), key, "", None) for table in tables for key, _ in theirs(before, who, table)
    }


def corrected(before: Before, who: Person) -> set[Cell]:
    """The profile in one database, the parcel on its way in the other; never the delivered one."""
    value = NEW[who.language]
    changes = put(before, who, "profile", {"shipping_address": value})
    return changes | put(before, who, "shipping", {"address": value}, "preparing")


def left(before: Before, who: Person) -> set[Cell]:
    """All that no law keeps is gone; a sale stays the other's, with nothing of theirs in it.

    Where the other has left before, and nothing of theirs is in it either, the sale goes too.
    """
    alone = [table for table in KEPT if table != "content_sale"]
    changes = gone(before, who, *GONE, *alone)
    changes |= put(
        before, who, "member", dict.fromkeys(EMPTIED) | {"status": "left", "left_at": "now"}
    )
    for key, row in theirs(before, who, "content_sale"):
        side, other = ("seller", "buyer") if row["seller_id"] == who.number else ("buyer", "seller")
        if all(row[f"{other}_{column}"] is None for column in SIDES[other]):
            changes |= {(place("content_sale"), key, "", None)}
            continue
        changes |= {
            (place("content_sale"), key, f"{side}_{column}", None)
            for column in SIDES[side]
            if row[f"{side}_{column}"] is not None
        }
    return changes
