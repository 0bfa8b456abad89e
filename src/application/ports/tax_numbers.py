"""Registration and VAT numbers, country by country."""

from abc import abstractmethod
from typing import Protocol

from src.domain.shared.party import Party


class TaxNumbers(Protocol):
    @abstractmethod
    def normal(self, party: Party) -> Party:
        """*party* with its numbers as its country writes them; of a country that is not known, as they were typed.

        Raises Invalid naming ``vat_number`` or ``registration_number``.
        """
