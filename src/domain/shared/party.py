"""Names and addresses as they stand on a document."""

from dataclasses import dataclass

from src.domain.shared.text import TextChecks


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address. *country* is an ISO 3166-1 alpha-2 code; empty texts are left out when printed."""

    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A company as a document names it."""

    name: str
    address: Address
    registration_number: str = ""
    vat_number: str = ""

    def check(self, checks: TextChecks) -> None:
        """Tell *checks* what is wrong with a party that is kept."""
        checks.line("name", self.name, required=True)
        checks.line("registration_number", self.registration_number, longest=50)
        checks.line("vat_number", self.vat_number, longest=50)
        address = self.address
        checks.line("address.street", address.street)
        checks.line("address.postal_code", address.postal_code, longest=20)
        checks.line("address.city", address.city)
        checks.line("address.region", address.region)
        country = address.country
        if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
            checks.refuse("address.country", "A country is two capital letters (ISO 3166-1).")
