"""A small policy and a state of known age."""

from collections.abc import Callable

import pytest

from subjectline_client.core import BOUND, HoldState
from subjectline_client.policy import Caller, Policy, Purpose


@pytest.fixture
def policy() -> Policy:
    return Policy(
        fields=("name", "email", "phone", "address"),
        purposes={
            "order": Purpose("contract"),
            "marketing": Purpose("consent", ("marketing",)),
            "sale": Purpose("consent", ("third_party",)),
            "tax": Purpose("law", fields=frozenset({"name", "address"})),
            "audit": Purpose("law"),
        },
        recipients=frozenset({"buyer", "printer"}),
        callers={
            "mailer": Caller(("marketing",)),
            "buyer-api": Caller(("sale", "marketing"), ("buyer",), partner=True),
            "books": Caller(("tax", "audit")),
            "all": Caller(("*",), ("*",)),
        },
        ids="integer",
    )


@pytest.fixture
def make_state(policy: Policy) -> Callable[..., HoldState]:
    """A state as of second 100."""

    def make(*holds: object, revision: int = 1) -> HoldState:
        state = HoldState(policy, bound=BOUND)
        state.load(holds, revision, 100.0)  # type: ignore[arg-type]
        return state

    return make
