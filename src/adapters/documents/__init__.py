"""Offers as PDF and as UBL, summaries as PDF."""

from src.adapters.documents.typst_renderer import TypstQuoteRenderer
from src.adapters.documents.typst_summary import TypstSummaryRenderer
from src.adapters.documents.ubl import UblQuotationWriter

__all__ = ["TypstQuoteRenderer", "TypstSummaryRenderer", "UblQuotationWriter"]
