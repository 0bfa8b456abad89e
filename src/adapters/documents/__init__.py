"""Offers as PDF."""

from src.adapters.documents.typst_renderer import TypstQuoteRenderer

__all__ = ["TypstQuoteRenderer"]
