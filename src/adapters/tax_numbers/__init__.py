"""Registration and VAT numbers, by python-stdnum."""

from src.adapters.tax_numbers.stdnum_tax_numbers import StdnumTaxNumbers

__all__ = ["StdnumTaxNumbers"]
