"""An offer as plain text: for tests of use cases that need some bytes, quickly and always the same."""

from src.application.ports.documents import QuoteDocument, QuoteRenderer, RenderedDocument


class PlainTextRenderer(QuoteRenderer):
    """UTF-8 text with every text and figure of the offer. It lacks no character, so it replaces none."""

    def render(self, document: QuoteDocument) -> RenderedDocument:
        sums = document.calculation
        lines = [
            f"{document.seller.name}: {document.number}, revision {document.revision}: {document.title}",
            f"{document.issued_on} to {document.valid_until}, for {document.buyer.name} ({document.contact_name})",
            *(
                f"{line.sku} {line.description}: {line.quantity} {line.unit} × {line.unit_price} = {amounts.net}"
                for line, amounts in zip(document.lines, sums.lines, strict=True)
            ),
            f"Payable {sums.currency} {sums.payable}",
            document.terms,
            document.content_digest,
            "Page 1 of 1",
        ]
        return RenderedDocument("\n".join(lines).encode(), "")
