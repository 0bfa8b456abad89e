"""The covering letter without a template, for tests of use cases."""

from html import escape

from src.application.ports.documents import QuoteDocument
from src.application.ports.mail import ComposedText, MailTemplates


class PlainMailTemplates(MailTemplates):
    def quote_sent(self, document: QuoteDocument, message: str) -> ComposedText:
        text = f"{document.number} {document.title}\n{message}"
        return ComposedText(subject=f"{document.number} {document.title}", text=text, html=f"<p>{escape(text)}</p>")
