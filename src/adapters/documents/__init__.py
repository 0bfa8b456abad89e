"""Offers as PDF and as UBL."""

from src.adapters.documents.typst_renderer import TypstQuoteRenderer
from src.adapters.documents.ubl import UblQuotationWriter

__all__ = ["TypstQuoteRenderer", "UblQuotationWriter"]
