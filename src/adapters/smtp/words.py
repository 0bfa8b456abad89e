"""The words of our messages, by language."""

from dataclasses import dataclass
from types import MappingProxyType

from src.application.ports.mail import ApprovalMailKind, NoticeKind
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
class ApprovalWords:
    """Both take ``{title}``, ``{step}`` and ``{organization}``."""

    subject: str
    opening: str


APPROVAL_WORDS = MappingProxyType(
    {
        ("en", ApprovalMailKind.REQUEST): ApprovalWords(
            subject="{title} waits for your approval",
            opening="{title} needs your decision (step «{step}»). Look at it here, and approve or reject it:",
        ),
        ("en", ApprovalMailKind.DEPUTY): ApprovalWords(
            subject="{title} has waited too long and comes to you",
            opening="Nobody has decided about {title} in time (step «{step}»), so you may decide as well:",
        ),
        ("en", ApprovalMailKind.REMINDER): ApprovalWords(
            subject="Reminder: {title} still waits for your approval",
            opening="{title} still needs your decision (step «{step}»):",
        ),
        ("en", ApprovalMailKind.APPROVED): ApprovalWords(
            subject="{title} has been approved", opening="{title} has been approved by all who had to agree:"
        ),
        ("en", ApprovalMailKind.REJECTED): ApprovalWords(
            subject="{title} has been rejected", opening="{title} has been rejected. The reason given and the details:"
        ),
        ("en", ApprovalMailKind.BLOCKED): ApprovalWords(
            subject="Nobody can approve {title}",
            opening="The approval of {title} cannot go on: nobody is left who could decide. Change the people or the "
            "policy, or ask for the submission to be recalled:",
        ),
        ("de", ApprovalMailKind.REQUEST): ApprovalWords(
            subject="{title} wartet auf Ihre Freigabe",
            opening="{title} braucht Ihre Entscheidung (Schritt «{step}»). Hier ansehen und freigeben oder ablehnen:",
        ),
        ("de", ApprovalMailKind.DEPUTY): ApprovalWords(
            subject="{title} hat zu lange gewartet und kommt zu Ihnen",
            opening="Über {title} wurde nicht rechtzeitig entschieden (Schritt «{step}»), daher dürfen auch Sie entscheiden:",
        ),
        ("de", ApprovalMailKind.REMINDER): ApprovalWords(
            subject="Erinnerung: {title} wartet noch auf Ihre Freigabe",
            opening="{title} braucht noch Ihre Entscheidung (Schritt «{step}»):",
        ),
        ("de", ApprovalMailKind.APPROVED): ApprovalWords(
            subject="{title} ist freigegeben", opening="Alle, die zustimmen mussten, haben {title} freigegeben:"
        ),
        ("de", ApprovalMailKind.REJECTED): ApprovalWords(
            subject="{title} wurde abgelehnt", opening="{title} wurde abgelehnt. Der Grund und die Einzelheiten:"
        ),
        ("de", ApprovalMailKind.BLOCKED): ApprovalWords(
            subject="Niemand kann {title} freigeben",
            opening="Die Freigabe von {title} kommt nicht weiter: niemand ist mehr da, der entscheiden könnte. Ändern Sie "
            "Personen oder Richtlinie, oder lassen Sie die Vorlage zurückziehen:",
        ),
        ("ko", ApprovalMailKind.REQUEST): ApprovalWords(
            subject="{title} 승인 요청",
            opening="{title}에 대한 결정이 필요합니다(단계 «{step}»). 아래에서 확인하고 승인하거나 반려해 주세요.",
        ),
        ("ko", ApprovalMailKind.DEPUTY): ApprovalWords(
            subject="{title} 승인이 지연되어 전달되었습니다",
            opening="{title}이(가) 제때 결정되지 않아(단계 «{step}») 귀하도 결정하실 수 있습니다.",
        ),
        ("ko", ApprovalMailKind.REMINDER): ApprovalWords(
            subject="알림: {title} 승인이 아직 필요합니다",
            opening="{title}에 대한 결정이 아직 필요합니다(단계 «{step}»).",
        ),
        ("ko", ApprovalMailKind.APPROVED): ApprovalWords(
            subject="{title} 승인 완료", opening="{title}이(가) 모두 승인되었습니다."
        ),
        ("ko", ApprovalMailKind.REJECTED): ApprovalWords(
            subject="{title} 반려", opening="{title}이(가) 반려되었습니다. 사유와 자세한 내용은 다음과 같습니다."
        ),
        ("ko", ApprovalMailKind.BLOCKED): ApprovalWords(
            subject="{title}을(를) 승인할 사람이 없습니다",
            opening="{title}의 승인을 진행할 수 없습니다. 결정할 수 있는 사람이 없습니다. 담당자나 정책을 변경하거나 제출을 회수해 주세요.",
        ),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWords:
    """*subject* and *opening* take ``{subject}``."""

    subject: str
    opening: str
    advice: str


NOTICE_WORDS = MappingProxyType(
    {
        ("en", NoticeKind.DELIVERY_FAILED): NoticeWords(
            subject="Offer {subject} could not be delivered",
            opening="The latest mails with offer {subject} could be delivered to none of its recipients:",
            advice="The offer stands as it was sent. Correct the contact's address where it is wrong, then send the mail again.",
        ),
        ("en", NoticeKind.TEMPLATE_FAILED): NoticeWords(
            subject="Your mail template «{subject}» could not be used",
            opening="Your mail template «{subject}» could not be used for a mail, which went out with our own words instead:",
            advice="Nothing was lost. Correct the template or reset it; until then all such mails have our own words.",
        ),
        ("de", NoticeKind.TEMPLATE_FAILED): NoticeWords(
            subject="Ihre E-Mail-Vorlage «{subject}» war nicht zu verwenden",
            opening="Ihre Vorlage «{subject}» war für eine E-Mail nicht zu verwenden; sie ging mit unseren eigenen Worten hinaus:",
            advice="Es ging nichts verloren. Berichtigen Sie die Vorlage oder setzen Sie sie zurück; bis dahin haben solche "
            "E-Mails unsere eigenen Worte.",
        ),
        ("ko", NoticeKind.TEMPLATE_FAILED): NoticeWords(
            subject="메일 서식 «{subject}»을(를) 사용할 수 없었습니다",
            opening="메일 서식 «{subject}»을(를) 사용할 수 없어 기본 문구로 메일을 보냈습니다.",
            advice="메일은 모두 발송되었습니다. 서식을 고치거나 초기화해 주세요. 그때까지는 기본 문구를 사용합니다.",
        ),
        ("de", NoticeKind.DELIVERY_FAILED): NoticeWords(
            subject="Angebot {subject} war nicht zuzustellen",
            opening="Die letzten E-Mails mit Angebot {subject} konnten keinem der Empfänger zugestellt werden:",
            advice="Das Angebot gilt, wie es versandt wurde. Berichtigen Sie die Adresse des Kontakts, wo sie falsch ist, und "
            "senden Sie die E-Mail noch einmal.",
        ),
        ("ko", NoticeKind.DELIVERY_FAILED): NoticeWords(
            subject="견적서 {subject} 메일이 전달되지 않았습니다",
            opening="견적서 {subject}의 최근 메일을 어느 수신자에게도 전달하지 못했습니다.",
            advice="견적은 발송된 그대로 유효합니다. 연락처의 주소가 잘못되었다면 고친 뒤 메일을 다시 보내 주세요.",
        ),
    }
)
