"""Offers as PDF, set by typst."""

import json
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from threading import Lock

import typst

from src.adapters.documents.content import content_of
from src.adapters.documents.picture import is_printable_picture
from src.adapters.documents.printable import Printable
from src.application.ports.documents import QuoteDocument, QuoteRenderer, RenderedDocument

_HERE = Path(__file__).parent


class TypstQuoteRenderer(QuoteRenderer):
    """PDF/A-3a and PDF/UA-1: archivable, with text that can be searched, copied and read aloud.

    The profiles make a missing glyph an error, which is the only way to hear of it. Make one per process: it holds
    fonts and caches. Threads may share it; they render one after another, for the compiler keeps its inputs.
    """

    def __init__(self) -> None:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(_HERE / "fonts")])
        self._template = (_HERE / "quote.typ").read_bytes()
        self._compiler = typst.Compiler(root=str(_HERE), font_paths=fonts)
        self._lock = Lock()

    def render(self, document: QuoteDocument) -> RenderedDocument:
        """As promised by the port. Raises typst.TypstError when the template itself is at fault."""
        bare = replace(document, logo=b"")
        if document.logo and is_printable_picture(document.logo):
            try:
                return self._with_marks_or_without(document)
            except typst.TypstError:
                # Broken behind its head. An offer without a logo is better than none.
                return replace(self._with_marks_or_without(bare), logo_left_out=True)
        return replace(self._with_marks_or_without(bare), logo_left_out=bool(document.logo))

    def _with_marks_or_without(self, document: QuoteDocument) -> RenderedDocument:
        printable = Printable()
        try:
            content = self._compile(document, printable)
        except typst.TypstError:
            # A letter and a mark that only different fonts have; without its marks the text can be printed.
            printable = Printable(marks=False)
            content = self._compile(document, printable)
        return RenderedDocument(content, printable.replaced)

    def _compile(self, document: QuoteDocument, printable: Printable) -> bytes:
        offer = json.dumps(content_of(document, printable), ensure_ascii=False)
        with self._lock:
            pdf = self._compiler.compile(
                self._template,  # Again each time: the compiler forgets a template that is no file.
                format="pdf",
                sys_inputs={"offer": offer},
                pdf_standards=["a-3a", "ua-1"],
                timestamp=datetime.combine(document.issued_on, time(), UTC),
            )
        assert isinstance(pdf, bytes)  # Only pictures come as a list.
        return pdf
