"""Which test process runs what: any test goes to whichever is free, but some that share something dear stay together."""

from typing import Final

from xdist.scheduler import LoadScopeScheduling

# One process makes the crowd, for all of them, and at once, while there is enough else to do for the others.
TOGETHER: Final = frozenset({"tests/integration/postgres/test_plans.py"})


class TogetherScheduling(LoadScopeScheduling):  # type: ignore[misc]  # It ships no types.
    """By modules and not by xdist's own groups: these it writes into the ids of tests, which pytest 9.2 keeps as they are."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if module in TOGETHER else nodeid
