"""The words of our messages, by language."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """*subject* and *opening* take ``{number}``, ``{revision}`` and ``{seller}``."""

    subject: str
    greeting: str
    opening: str
    payable: str
    valid_until: str
    attached: str
    closing: str


WORDS = MappingProxyType(
    {
        "en": Words(
            subject="Offer {number} from {seller}",
            greeting="Hello",
            opening="Thank you for your enquiry. Here is our offer {number}, revision {revision}.",
            payable="Amount payable",
            valid_until="Valid until",
            attached="You will find the whole offer attached as PDF.",
            closing="Kind regards",
        ),
        "de": Words(
            subject="Angebot {number} von {seller}",
            greeting="Guten Tag",
            opening="vielen Dank für Ihre Anfrage. Hier ist unser Angebot {number}, Revision {revision}.",
            payable="Zu zahlen",
            valid_until="Gültig bis",
            attached="Das vollständige Angebot finden Sie als PDF im Anhang.",
            closing="Mit freundlichen Grüßen",
        ),
        "ko": Words(
            subject="[{seller}] 견적서 {number}",
            greeting="안녕하세요",
            opening="문의해 주셔서 감사합니다. 견적서 {number}, {revision}차를 보내 드립니다.",
            payable="결제 금액",
            valid_until="유효 기한",
            attached="전체 견적서는 첨부된 PDF에서 확인하실 수 있습니다.",
            closing="감사합니다",
        ),
    }
)
