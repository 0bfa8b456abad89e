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

    def check(self, checks: TextChecks, field: str) -> None:
        """Tell *checks* what is wrong with an address that is kept; *field* is its path."""
        checks.line(f"{field}.street", self.street)
        checks.line(f"{field}.postal_code", self.postal_code, longest=20)
        checks.line(f"{field}.city", self.city)
        checks.line(f"{field}.region", self.region)
        country = self.country
        if country and not (len(country) == 2 and country.isascii() and country.isalpha() and country.isupper()):
            checks.refuse(f"{field}.country", "A country is two capital letters (ISO 3166-1).")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A company as a document names it."""

    name: str
    address: Address
    registration_number: str = ""
    vat_number: str = ""

    def check(self, checks: TextChecks, below: str = "") -> None:
        """Tell *checks* what is wrong with a party that is kept. *below*: what stands before its fields, such as ``party.``."""
        checks.line(f"{below}name", self.name, required=True)
        checks.line(f"{below}registration_number", self.registration_number, longest=50)
        checks.line(f"{below}vat_number", self.vat_number, longest=50)
        self.address.check(checks, f"{below}address")
