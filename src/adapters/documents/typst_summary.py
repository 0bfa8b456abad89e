"""Summaries of quotes as PDF, set by typst."""

import asyncio
import json
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Lock

import typst

from src.adapters.documents.printable import Printable
from src.adapters.documents.summary_content import summary_content
from src.application.ports.summaries import SummaryDocument, SummaryRenderer

_HERE = Path(__file__).parent


class TypstSummaryRenderer(SummaryRenderer):
    """PDF/A-3a and PDF/UA-1, as offers are. Threads may share it; they render one after another."""

    def __init__(self) -> None:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_HERE / "fonts")])
        self._template = (_HERE / "summary.typ").read_bytes()
        self._compiler = typst.Compiler(root=str(_HERE), font_paths=fonts)
        self._lock = Lock()

    def render(self, document: SummaryDocument) -> bytes:
        """As promised by the port. Raises typst.TypstError when the template itself is at fault."""
        try:
            return self._compile(document, Printable())
        except typst.TypstError:
            # A letter and a mark that only different fonts have; without its marks the text can be printed.
            return self._compile(document, Printable(marks=False))

    async def write(self, document: SummaryDocument, path: Path) -> None:
        def render() -> None:
            path.write_bytes(self.render(document))

        await asyncio.to_thread(render)

    def _compile(self, document: SummaryDocument, printable: Printable) -> bytes:
        summary = json.dumps(summary_content(document, printable), ensure_ascii=False)
        with self._lock:
            pdf = self._compiler.compile(
                self._template,
                format="pdf",
                sys_inputs={"summary": summary},
                pdf_standards=["a-3a", "ua-1"],
                timestamp=datetime.combine(document.made_at.date(), time(), UTC),
            )
        assert isinstance(pdf, bytes)  # Only pictures come as a list.
        return pdf
