"""Renderers for all tests: they keep fonts, and whoever renders takes turns."""

from typing import Final

from src.adapters.documents import TypstSummaryRenderer

SUMMARIES: Final = TypstSummaryRenderer()
