"""What our own check of a mail found. Facts without a verdict: the tier is `mailparse.authenticity`'s."""

from dataclasses import dataclass
from enum import StrEnum


class Result(StrEnum):
    """In the words of RFC 8601, 2.7.1."""

    PASS = "pass"
    FAIL = "fail"  # does not fit the mail, or is over
    POLICY = "policy"  # fits, and proves too little for us
    PERMERROR = "permerror"  # malformed, or its key is missing or unfit
    TEMPERROR = "temperror"  # the DNS did not answer


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature. `aligned`: its domain is that of From, or of the same organisation."""

    domain: str
    selector: str
    algorithm: str
    result: Result
    why: str = ""
    aligned: bool = False


@dataclass(frozen=True, slots=True)
class OwnCheck:
    """All of it for one mail.

    `names` and `sender` are the header as the check read it: names in order, and the value of From.
    `policy` is what the domain of From asks for where nothing aligned (`none`, `quarantine`,
    `reject`; `""` where it was not asked or has none, `temperror` where the DNS was away).
    `relayed` says by which field a list or forwarder shows itself.
    """

    names: tuple[str, ...] = ()
    sender: bytes = b""
    signatures: tuple[Signature, ...] = ()
    policy: str = ""
    relayed: str = ""
    why: str = ""  # where nothing could be checked

    @property
    def proof(self) -> Signature | None:
        """The signature that proves the domain of From."""
        passed = (one for one in self.signatures if one.aligned and one.result is Result.PASS)
        return next(passed, None)

    @property
    def uncertain(self) -> bool:
        """Whether the DNS left something open that could have proved the sender."""
        away = any(one.aligned and one.result is Result.TEMPERROR for one in self.signatures)
        return away or self.policy == Result.TEMPERROR
