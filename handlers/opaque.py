"""Handles of rows for the agents' pages: the bigint id never leaves the house.

A handle is the id put through a keyed permutation of 64 bits (four rounds of a Feistel network, Luby
and Rackoff 1988, with the token key), written in Crockford base 32. It hides how many rows there are
and cannot be guessed along; it is no permission by itself.
"""

from subjectline.models.errors import BadInput
from subjectline.models.keys import Vault

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 13  # 65 bits hold 64
ROUNDS = 4
HALF = 0xFFFFFFFF


def hide(vault: Vault, table: str, number: int) -> str:
    """The handle of a row: 13 characters, the same each time."""
    left, right = number >> 32 & HALF, number & HALF
    for step in range(ROUNDS):
        left, right = right, left ^ _mix(vault, table, step, right)
    mixed = left << 32 | right
    return "".join(ALPHABET[mixed >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))


def show(vault: Vault, table: str, handle: str) -> int:
    """The row's id. BadInput where the text is no handle of this table."""
    if len(handle) != LENGTH or not set(handle) <= set(ALPHABET):
        raise BadInput("there is no such page", field="address")
    mixed = 0
    for char in handle:
        mixed = mixed << 5 | ALPHABET.index(char)
    left, right = mixed >> 32 & HALF, mixed & HALF
    for step in reversed(range(ROUNDS)):
        left, right = right ^ _mix(vault, table, step, left), left
    number = left << 32 | right
    if mixed >> 64 or number >= 1 << 62:
        raise BadInput("there is no such page", field="address")
    return number


def _mix(vault: Vault, table: str, step: int, half: int) -> int:
    return int.from_bytes(vault.keyed_hash(f"handle.{table}.{step}", f"{half:x}")[:4], "big")
