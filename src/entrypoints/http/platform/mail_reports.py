"""The door for mail gateways: they hand in what other mail servers report."""

from typing import Any, Self

from dishka.integrations.litestar import FromDishka
from litestar import Controller, Request, post
from litestar.status_codes import HTTP_200_OK
from msgspec import Struct

from src.application.messaging.take_report import TakeDeliveryReport, TakenReport
from src.domain.identity.actor import MailGate
from src.domain.shared.errors import invalid_field


class MailReportResponse(Struct, frozen=True):
    """*action* is what the report says, *status* the message's now; *changed*: whether it told anything new."""

    action: str
    status: str
    changed: bool

    @classmethod
    def of(cls, taken: TakenReport) -> Self:
        return cls(action=taken.action.value, status=taken.status.value, changed=taken.changed)


class MailReportController(Controller):
    path = "/platform/v1/mail-reports"
    tags = ("platform",)

    @post(status_code=HTTP_200_OK, for_operators=True)
    async def take_mail_report(
        self, request: Request[Any, Any, Any], gate: FromDishka[MailGate], take: FromDishka[TakeDeliveryReport]
    ) -> MailReportResponse:
        """Hand in a delivery report (RFC 3464): the body is the mail itself, as `message/rfc822`, up to 1 MiB; cut off what
        was returned beyond that. An operator's key that may do nothing else is enough (`--only-mail-reports`).

        404: it is about no mail of ours. 409 `report_too_early`: ask again in a minute.
        """
        content = await request.body()
        if not content:
            raise invalid_field("body", "Send the report as the body, with Content-Type message/rfc822.")
        return MailReportResponse.of(await take(gate, content))
