"""Which domains belong to one organisation (RFC 7489, 3.1 and 3.2), by the public suffix list.

The list is the one that the pinned package ships; nothing is fetched.
"""

from functools import lru_cache

from publicsuffixlist import PublicSuffixList

from subjectline.models.dkim import DOMAIN


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


@lru_cache(maxsize=4096)
def organisation(domain: str) -> str:
    """`member.co.kr` for `mail.member.co.kr`; `""` for a public suffix and for what is no domain."""
    return (_suffixes().privatesuffix(domain) or "") if DOMAIN.match(domain) else ""


def aligned(one: str, other: str) -> bool:
    """Whether both are the same domain or of the same organisation (relaxed alignment)."""
    if not DOMAIN.match(one):
        return False
    return one == other or organisation(one) == organisation(other) != ""


def ascii_domain(address: str) -> str:
    """The domain of an address in lower-case ASCII; `""` where IDNA would change its letters.

    (IDNA 2003 makes `ss` of a sharp s: that is somebody else's domain.)
    """
    domain = address.rpartition("@")[2].lower().rstrip(".")
    if domain.isascii():
        return domain if DOMAIN.match(domain) else ""
    try:
        plain = domain.encode("idna").decode("ascii").lower()
        return plain if plain.encode("ascii").decode("idna") == domain else ""
    except UnicodeError:
        return ""
