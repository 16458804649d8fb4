"""What people see of a request: `SL-` and nine signs that can be read aloud, the last one a check."""

import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PREFIX = "SL-"


def new_reference() -> str:
    """`SL-`, eight random Crockford base-32 characters and a check character (modulo 37).

    Numbers whose check would be one of the five signs are passed over: people read these aloud.
    """
    while (number := secrets.randbelow(32**8)) % 37 >= len(CROCKFORD):
        continue
    body = "".join(CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{PREFIX}{body}{CROCKFORD[number % 37]}"


def is_reference(text: str) -> bool:
    """Whether this is a reference whose check character fits; upper case."""
    body, check = text.removeprefix(PREFIX)[:-1], text[-1:]
    if not text.startswith(PREFIX) or len(body) != 8 or not set(text[3:]) <= set(CROCKFORD):
        return False
    number = 0
    for sign in body:
        number = number << 5 | CROCKFORD.index(sign)
    return number % 37 < len(CROCKFORD) and CROCKFORD[number % 37] == check
