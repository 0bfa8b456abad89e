"""Names and addresses as they stand on a document."""

from dataclasses import dataclass


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
