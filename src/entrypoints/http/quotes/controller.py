"""Quotes over HTTP."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import msgspec
from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, get, patch, post
from litestar.params import Body, FromPath, QueryParameter
from litestar.status_codes import HTTP_200_OK
from msgspec.structs import asdict

from src.application.approvals.decide_approval import DecideApproval, DecideApprovalCommand, DecidedQuote
from src.application.messaging.read_deliveries import GetDeliveries
from src.application.ports.quoting import QuoteFilter
from src.application.prices.staleness import LineCheck
from src.application.quoting.calculate_quote import CalculateQuote
from src.application.quoting.cancel_quote import CancelQuote, CancelQuoteCommand
from src.application.quoting.compare_revisions import CompareRevisions
from src.application.quoting.create_quote import CreateQuote, CreateQuoteCommand
from src.application.quoting.edit_quote import EditQuote, EditQuoteCommand
from src.application.quoting.explain_quote import ExplainedRevision, ExplainQuote
from src.application.quoting.preview_approval import PreviewApproval
from src.application.quoting.read_quotes import GetQuoteTimeline, ListQuotes
from src.application.quoting.recall_quote import RecallQuote, RecallQuoteCommand
from src.application.quoting.reprice_quote import CheckQuotePrices, RepriceQuote, RepriceQuoteCommand
from src.application.quoting.resend_quote import ResendQuote, ResendQuoteCommand
from src.application.quoting.revise_quote import ReviseQuote, ReviseQuoteCommand
from src.application.quoting.send_quote import SendQuote, SendQuoteCommand
from src.application.quoting.submit_quote import SubmitQuote, SubmitQuoteCommand
from src.domain.identity.actor import Actor, Permission
from src.domain.quoting.quote import Quote
from src.domain.shared.ids import ContactId, CustomerId, QuoteId, UserId
from src.entrypoints.http.approvals.schemas import OutcomeSchema
from src.entrypoints.http.costs import shown_to
from src.entrypoints.http.organization.custom_fields import CustomFilter, custom_filter
from src.entrypoints.http.paging import Cursor, Limit, PageResponse, Search, Skip, paging_of
from src.entrypoints.http.quotes.parameters import (
    CustomerParameter,
    DeliveryFailed,
    Explain,
    OwnerParameter,
    RevisionNumber,
    Statuses,
)
from src.entrypoints.http.quotes.preview import ApprovalPreviewResponse
from src.entrypoints.http.quotes.schemas import (
    CalculateRequest,
    CalculateResponse,
    CancelRequest,
    CreateQuoteRequest,
    DecidedQuoteResponse,
    DecisionRequest,
    EditQuoteRequest,
    LineCheckSchema,
    QuoteResponse,
    QuoteSummaryResponse,
    RejectionRequest,
    RepriceRequest,
    RepriceResponse,
    ResendRequest,
    SendRequest,
    SubmitRequest,
)
from src.entrypoints.http.quotes.timeline import AttemptGroupResponse, DifferenceResponse, TimelineResponse
from src.entrypoints.http.versions import IfMatch, etag, expected_version, required_version
from src.entrypoints.schemas.explanation import ExplanationSchema, FaultSchema, RevisionExplanationSchema

OtherRevision = Annotated[int | None, QueryParameter(name="to", ge=1, description="The current one when absent.")]


class QuoteController(Controller):
    path = "/api/v1/quotes"
    tags = ("quotes",)

    @get(permission=Permission.VIEW_QUOTES)
    async def list_quotes(
        self,
        actor: FromDishka[Actor],
        list_quotes: FromDishka[ListQuotes],
        status: Statuses = None,
        customer_id: CustomerParameter = None,
        owner_id: OwnerParameter = None,
        search: Search = "",
        custom: CustomFilter = None,
        delivery_failed: DeliveryFailed = None,
        skip: Skip = 0,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> PageResponse[QuoteSummaryResponse]:
        """Quotes with their current revision, newest first; *search* looks into number, title and customer."""
        criteria = QuoteFilter(
            statuses=tuple(status or ()),
            customer_id=None if customer_id is None else CustomerId(customer_id),
            owner_id=None if owner_id is None else UserId(owner_id),
            search=search,
            custom=custom_filter(custom),
            delivery_failed=delivery_failed,
        )
        paging = paging_of(skip, limit, cursor)
        return PageResponse.of(await list_quotes(actor, criteria, paging), paging, QuoteSummaryResponse.of)

    @post(permission=Permission.EDIT_QUOTES)
    async def create_quote(
        self,
        data: Annotated[CreateQuoteRequest, Body()],
        actor: FromDishka[Actor],
        create_quote: FromDishka[CreateQuote],
    ) -> Response[QuoteResponse]:
        """Begin a draft; it is numbered and priced at once."""
        command = CreateQuoteCommand(customer_id=CustomerId(data.customer_id), draft=data.draft())
        quote = await create_quote(actor, command)
        return _tagged(actor, quote, status_code=201)

    @post("/calculate", status_code=HTTP_200_OK, permission=Permission.VIEW_QUOTES)
    async def calculate(
        self,
        data: Annotated[CalculateRequest, Body()],
        actor: FromDishka[Actor],
        calculate_quote: FromDishka[CalculateQuote],
        explain: Explain = False,
    ) -> CalculateResponse:
        """Price an offer without storing anything; with *explain* the answer says how every amount came about."""
        customer_id = None if data.customer_id is None else CustomerId(data.customer_id)
        calculation, explanation = await calculate_quote(actor, customer_id, data.draft())
        response = CalculateResponse.of(calculation)
        if explain:
            response = msgspec.structs.replace(response, explanation=ExplanationSchema.of(explanation))
        return shown_to(actor, response)

    @get("/{quote_id:uuid}", permission=Permission.VIEW_QUOTES)
    async def get_quote(
        self, quote_id: FromPath[UUID], actor: FromDishka[Actor], check_prices: FromDishka[CheckQuotePrices]
    ) -> Response[QuoteResponse]:
        """One quote with its current revision, for a draft with the prices that are stale; the ETag is for `If-Match`."""
        looked = await check_prices(actor, QuoteId(quote_id))
        return _tagged(actor, looked.quote, stale=looked.lines)

    @patch("/{quote_id:uuid}", permission=Permission.EDIT_QUOTES)
    async def edit_quote(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[EditQuoteRequest, Body()],
        actor: FromDishka[Actor],
        edit_quote: FromDishka[EditQuote],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Change a draft; lines, when given, replace all lines."""
        command = EditQuoteCommand(
            quote_id=QuoteId(quote_id), draft=data.draft(), expected_version=required_version(if_match)
        )
        return _tagged(actor, await edit_quote(actor, command))

    @post("/{quote_id:uuid}/reprice", status_code=HTTP_200_OK, permission=Permission.EDIT_QUOTES)
    async def reprice(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[RepriceRequest, Body()],
        actor: FromDishka[Actor],
        reprice_quote: FromDishka[RepriceQuote],
        if_match: IfMatch = None,
    ) -> Response[RepriceResponse]:
        """Take the catalogue's prices and taxes into the draft; `dry_run` gives old, new and reason for each line."""
        command = RepriceQuoteCommand(
            quote_id=QuoteId(quote_id),
            pricing_date=data.pricing_date,
            include_manual=data.include_manual,
            dry_run=data.dry_run,
            expected_version=expected_version(if_match),
        )
        repricing = await reprice_quote(actor, command)
        response = RepriceResponse(
            dry_run=data.dry_run,
            lines=[LineCheckSchema.of(check) for check in repricing.lines],
            quote=QuoteResponse.of(repricing.quote),
        )
        return Response(shown_to(actor, response), headers={"ETag": etag(repricing.quote.version)})

    @get("/{quote_id:uuid}/explanation", permission=Permission.VIEW_QUOTES)
    async def explain_current(
        self, quote_id: FromPath[UUID], actor: FromDishka[Actor], explain_quote: FromDishka[ExplainQuote]
    ) -> RevisionExplanationSchema:
        """How every amount of the current revision came about, replayed."""
        return _explained(actor, quote_id, await explain_quote(actor, QuoteId(quote_id), None))

    @get("/{quote_id:uuid}/revisions/{number:int}/explanation", permission=Permission.VIEW_QUOTES)
    async def explain_revision(
        self,
        quote_id: FromPath[UUID],
        number: RevisionNumber,
        actor: FromDishka[Actor],
        explain_quote: FromDishka[ExplainQuote],
    ) -> RevisionExplanationSchema:
        """How every amount of one revision came about, as it was stored at submission, replayed."""
        return _explained(actor, quote_id, await explain_quote(actor, QuoteId(quote_id), number))

    @post("/{quote_id:uuid}/submit", status_code=HTTP_200_OK, permission=Permission.SUBMIT_QUOTES)
    async def submit(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        submit_quote: FromDishka[SubmitQuote],
        data: Annotated[SubmitRequest, Body()],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Freeze the draft and ask for approval; approved at once when no policy asks."""
        command = SubmitQuoteCommand(
            quote_id=QuoteId(quote_id),
            keep_prices=data.keep_prices,
            expected_version=expected_version(if_match),
        )
        return _tagged(actor, await submit_quote(actor, command))

    @post("/{quote_id:uuid}/approval-preview", status_code=HTTP_200_OK, permission=Permission.VIEW_QUOTES)
    async def preview_approval(
        self, quote_id: FromPath[UUID], actor: FromDishka[Actor], preview: FromDishka[PreviewApproval]
    ) -> ApprovalPreviewResponse:
        """What submitting the draft now would ask for, and why; nothing is stored."""
        return ApprovalPreviewResponse.of(await preview(actor, QuoteId(quote_id)), actor)

    @post("/{quote_id:uuid}/recall", status_code=HTTP_200_OK, permission=Permission.SUBMIT_QUOTES)
    async def recall(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        recall_quote: FromDishka[RecallQuote],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Take a submitted quote back for editing."""
        command = RecallQuoteCommand(quote_id=QuoteId(quote_id), expected_version=expected_version(if_match))
        return _tagged(actor, await recall_quote(actor, command))

    @post("/{quote_id:uuid}/approve", status_code=HTTP_200_OK, permission=Permission.DECIDE_APPROVALS)
    async def approve(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[DecisionRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideApproval],
    ) -> Response[DecidedQuoteResponse]:
        """Agree to exactly this content; never by whoever submitted or last edited it."""
        command = DecideApprovalCommand(
            quote_id=QuoteId(quote_id),
            approved=True,
            content_digest=data.content_digest,
            reason=data.reason,
            step=data.step,
        )
        return _decided(actor, await decide(actor, command))

    @post("/{quote_id:uuid}/reject", status_code=HTTP_200_OK, permission=Permission.DECIDE_APPROVALS)
    async def reject(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[RejectionRequest, Body()],
        actor: FromDishka[Actor],
        decide: FromDishka[DecideApproval],
    ) -> Response[DecidedQuoteResponse]:
        """Refuse this content, with a reason; one rejection ends the request."""
        command = DecideApprovalCommand(
            quote_id=QuoteId(quote_id),
            approved=False,
            content_digest=data.content_digest,
            reason=data.reason,
            step=data.step,
        )
        return _decided(actor, await decide(actor, command))

    @post("/{quote_id:uuid}/revise", status_code=HTTP_200_OK, permission=Permission.EDIT_QUOTES)
    async def revise(
        self,
        quote_id: FromPath[UUID],
        actor: FromDishka[Actor],
        revise_quote: FromDishka[ReviseQuote],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Begin a new revision with the content of the current one."""
        command = ReviseQuoteCommand(quote_id=QuoteId(quote_id), expected_version=expected_version(if_match))
        return _tagged(actor, await revise_quote(actor, command))

    @post("/{quote_id:uuid}/send", status_code=HTTP_200_OK, permission=Permission.SEND_QUOTES)
    async def send(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[SendRequest, Body()],
        actor: FromDishka[Actor],
        send_quote: FromDishka[SendQuote],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Issue the approved offer; its PDF and mail follow by a job, seen in the timeline."""
        command = SendQuoteCommand(
            quote_id=QuoteId(quote_id),
            content_digest=data.content_digest,
            note=data.note,
            expected_version=expected_version(if_match),
        )
        return _tagged(actor, await send_quote(actor, command))

    @post("/{quote_id:uuid}/resend", status_code=HTTP_200_OK, permission=Permission.SEND_QUOTES)
    async def resend(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[ResendRequest, Body()],
        actor: FromDishka[Actor],
        resend_quote: FromDishka[ResendQuote],
        if_match: IfMatch = None,
    ) -> AttemptGroupResponse:
        """Mail the sent offer once more, to all or some of its contacts, at the addresses that they have now."""
        command = ResendQuoteCommand(
            quote_id=QuoteId(quote_id),
            contact_ids=None if data.contact_ids is None else tuple(map(ContactId, data.contact_ids)),
            content_digest=data.content_digest,
            note=data.note,
            expected_version=expected_version(if_match),
        )
        return AttemptGroupResponse.of(await resend_quote(actor, command))

    @get("/{quote_id:uuid}/deliveries", permission=Permission.VIEW_QUOTES)
    async def deliveries(
        self, quote_id: FromPath[UUID], actor: FromDishka[Actor], get_deliveries: FromDishka[GetDeliveries]
    ) -> PageResponse[AttemptGroupResponse]:
        """What became of the mails, by revision and attempt group, oldest first."""
        groups = await get_deliveries(actor, QuoteId(quote_id))
        return PageResponse.whole([AttemptGroupResponse.of(group) for group in groups])

    @post("/{quote_id:uuid}/cancel", status_code=HTTP_200_OK, permission=Permission.EDIT_QUOTES)
    async def cancel(
        self,
        quote_id: FromPath[UUID],
        data: Annotated[CancelRequest, Body()],
        actor: FromDishka[Actor],
        cancel_quote: FromDishka[CancelQuote],
        if_match: IfMatch = None,
    ) -> Response[QuoteResponse]:
        """Give the offer up for good."""
        command = CancelQuoteCommand(
            quote_id=QuoteId(quote_id), reason=data.reason, expected_version=expected_version(if_match)
        )
        return _tagged(actor, await cancel_quote(actor, command))

    @get("/{quote_id:uuid}/timeline", permission=Permission.VIEW_QUOTES)
    async def timeline(
        self, quote_id: FromPath[UUID], actor: FromDishka[Actor], get_timeline: FromDishka[GetQuoteTimeline]
    ) -> TimelineResponse:
        """Everything that happened to the quote, oldest first, with its approvals and mails."""
        return TimelineResponse.of(await get_timeline(actor, QuoteId(quote_id)), actor)

    @get("/{quote_id:uuid}/revisions/{number:int}/differences", permission=Permission.VIEW_QUOTES)
    async def differences(
        self,
        quote_id: FromPath[UUID],
        number: FromPath[int],
        actor: FromDishka[Actor],
        compare: FromDishka[CompareRevisions],
        to: OtherRevision = None,
    ) -> DifferenceResponse:
        """What another revision, the current one unless `to` names it, says otherwise than this one, field by field."""
        return DifferenceResponse.of(await compare(actor, QuoteId(quote_id), number, to))


def _explained(actor: Actor, quote_id: UUID, explained: ExplainedRevision) -> RevisionExplanationSchema:
    body = RevisionExplanationSchema(
        quote_id=quote_id,
        revision=explained.revision.number,
        content_digest=explained.revision.content_digest,
        explanation_digest=explained.revision.explanation_digest,
        follows=explained.fault is None,
        fault=None if explained.fault is None else FaultSchema.of(explained.fault),
        explanation=ExplanationSchema.of(explained.explanation),
    )
    return shown_to(actor, body)


def _decided(actor: Actor, decided: DecidedQuote) -> Response[DecidedQuoteResponse]:
    body = DecidedQuoteResponse(**asdict(QuoteResponse.of(decided.quote)), decision=OutcomeSchema.of(decided))
    return Response(shown_to(actor, body), headers={"ETag": etag(decided.quote.version)})


def _tagged(
    actor: Actor, quote: Quote, status_code: int = HTTP_200_OK, *, stale: Sequence[LineCheck] | None = None
) -> Response[QuoteResponse]:
    body = shown_to(actor, QuoteResponse.of(quote, stale))
    return Response(body, status_code=status_code, headers={"ETag": etag(quote.version)})
