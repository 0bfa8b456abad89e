"""The passwords that are tried first, from the lists of zxcvbn: 30,000 that were found most often in leaks."""

from functools import cache

from src.application.ports.security import CommonPasswords


class ListedPasswords(CommonPasswords):
    def all(self) -> frozenset[str]:
        return _listed()


@cache
def _listed() -> frozenset[str]:
    # Loaded when first needed: half a megabyte that most commands never look at.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"])
