"""The words of our messages, by language."""

from dataclasses import dataclass
from types import MappingProxyType

from src.domain.identity.challenge import Purpose


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWords:
    """*subject* and *opening* take ``{organization}``; *until* takes ``{time}``."""

    subject: str
    opening: str
    until: str
    unasked: str


_UNASKED = {
    "en": "If you did not ask for this, ignore this message; nothing happens without it.",
    "de": "Wenn Sie das nicht angefordert haben, können Sie diese Nachricht ignorieren; ohne sie geschieht nichts.",
    "ko": "요청하지 않으셨다면 이 메일을 무시하셔도 됩니다. 아무 일도 일어나지 않습니다.",
}
_UNTIL = {
    "en": "It can be used once, until {time}.",
    "de": "Einmal verwendbar, bis {time}.",
    "ko": "{time}까지 한 번만 사용할 수 있습니다.",
}
_ACCOUNT = {
    ("en", Purpose.LOGIN_CODE): (
        "Your login code for {organization}",
        "Here is your code to log in to {organization}:",
    ),
    ("en", Purpose.PASSWORD_RESET): (
        "Reset your password for {organization}",
        "With this link you choose a new password for {organization}:",
    ),
    ("en", Purpose.INVITATION): (
        "You are invited to {organization}",
        "You are invited to work with {organization}. With this link you choose your password:",
    ),
    ("de", Purpose.LOGIN_CODE): (
        "Ihr Anmeldecode für {organization}",
        "Ihr Code für die Anmeldung bei {organization}:",
    ),
    ("de", Purpose.PASSWORD_RESET): (
        "Neues Passwort für {organization}",
        "Mit diesem Link wählen Sie ein neues Passwort für {organization}:",
    ),
    ("de", Purpose.INVITATION): (
        "Einladung zu {organization}",
        "Sie sind eingeladen, mit {organization} zu arbeiten. Mit diesem Link wählen Sie Ihr Passwort:",
    ),
    ("ko", Purpose.LOGIN_CODE): ("[{organization}] 로그인 코드", "{organization} 로그인 코드입니다."),
    ("ko", Purpose.PASSWORD_RESET): (
        "[{organization}] 비밀번호 재설정",
        "아래 링크에서 {organization} 계정의 새 비밀번호를 정하실 수 있습니다.",
    ),
    ("ko", Purpose.INVITATION): (
        "[{organization}] 초대",
        "{organization}에 초대되셨습니다. 아래 링크에서 비밀번호를 정해 주세요.",
    ),
}
ACCOUNT_WORDS = MappingProxyType(
    {
        (language, purpose): AccountWords(
            subject=subject, opening=opening, until=_UNTIL[language], unasked=_UNASKED[language]
        )
        for (language, purpose), (subject, opening) in _ACCOUNT.items()
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderWords:
    """*subject* takes ``{number}`` and ``{day}``, *opening* ``{customer}`` as well."""

    subject: str
    opening: str
    advice: str


REMINDER_WORDS = MappingProxyType(
    {
        "en": ReminderWords(
            subject="Offer {number} ends on {day}",
            opening="Your offer {number} to {customer} is valid until {day}, and has not been answered.",
            advice="A word to the customer may help; after that day the offer can no longer be accepted.",
        ),
        "de": ReminderWords(
            subject="Angebot {number} endet am {day}",
            opening="Ihr Angebot {number} an {customer} gilt bis {day} und ist noch nicht beantwortet.",
            advice="Vielleicht hilft ein Wort an den Kunden; nach diesem Tag kann das Angebot nicht mehr angenommen werden.",
        ),
        "ko": ReminderWords(
            subject="견적서 {number} 유효 기한: {day}",
            opening="{customer}에 보낸 견적서 {number}의 유효 기한은 {day}이며 아직 회신이 없습니다.",
            advice="고객에게 연락해 보시기 바랍니다. 기한이 지나면 견적을 수락할 수 없습니다.",
        ),
    }
)
