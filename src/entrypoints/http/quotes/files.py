"""Files about quotes over HTTP: the PDF and the documents for machines."""

from typing import Annotated
from uuid import UUID

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get
from litestar.params import FromPath, QueryParameter

from src.application.documents.get_quote_document import GetQuoteDocument
from src.application.documents.get_sent_offer import GetQuotation, GetSentOffer
from src.domain.identity.actor import Actor, Permission
from src.domain.shared.ids import QuoteId
from src.entrypoints.http.costs import shown_to_the_buyer
from src.entrypoints.http.downloads.answers import content_disposition
from src.entrypoints.http.quotes.document_schemas import DocumentResponse

Revision = Annotated[int | None, QueryParameter(name="revision", ge=1, description="The current one when absent.")]


class QuoteFileController(Controller):
    path = "/api/v1/quotes"
    tags = ("quotes",)

    @get("/{quote_id:uuid}/pdf", media_type="application/pdf", permission=Permission.VIEW_QUOTES)
    async def pdf(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_document: FromDishka[GetQuoteDocument],
        revision: Revision = None,
    ) -> Response[bytes]:
        """The PDF of a sent revision, exactly as it went to the buyer."""
        file = await get_document(actor, QuoteId(quote_id), revision)
        headers = {
            "Content-Disposition": content_disposition(file.file_name),
            "ETag": f'"{file.document.sha256}"',
        }
        return Response(file.content, media_type="application/pdf", headers=headers)

    @get("/{quote_id:uuid}/document.xml", media_type="application/xml", permission=Permission.VIEW_QUOTES)
    async def document_xml(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_quotation: FromDishka[GetQuotation],
        revision: Revision = None,
    ) -> Response[bytes]:
        """A sent revision as OASIS UBL 2.1 Quotation; 409 `not_en16931_exact` when the figures cannot be stated so."""
        file = await get_quotation(actor, QuoteId(quote_id), revision)
        headers = {"Content-Disposition": content_disposition(file.file_name)}
        return Response(file.content, media_type="application/xml", headers=headers)

    @get("/{quote_id:uuid}/document.json", permission=Permission.VIEW_QUOTES)
    async def document_json(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        get_offer: FromDishka[GetSentOffer],
        revision: Revision = None,
    ) -> DocumentResponse:
        """A sent revision as the buyer has it, as data: parties, lines, figures, terms and the digest; never costs."""
        offer = await get_offer(actor, QuoteId(quote_id), revision)
        return shown_to_the_buyer(DocumentResponse.of(offer))
