"""The words that a summary prints by itself, by language."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryLabels:
    """Texts with ``{}`` take a value. *statuses* are by the state's own name."""

    title: str
    period: str
    whole_period: str
    since: str
    until: str
    status: str
    customer: str
    owner: str
    made_at: str
    quotes: str
    volume: str
    won: str
    won_quotes: str
    win_rate: str
    share: str
    average: str
    month: str
    by_status: str
    by_month: str
    months_in_figures: str
    top_customers: str
    top_owners: str
    earlier: str
    notes: str
    page: str
    legend_volume: str
    legend_won: str
    statuses: MappingProxyType[str, str]
    months: tuple[str, ...]


ENGLISH = SummaryLabels(
    title="Summary of quotes",
    period="Period",
    whole_period="All quotes",
    since="From {}",
    until="Until {}",
    status="State",
    customer="Customer",
    owner="Owner",
    made_at="As of",
    quotes="Quotes",
    volume="Volume",
    won="Won",
    won_quotes="Quotes won",
    win_rate="Win rate",
    share="Share",
    average="Average",
    month="Month",
    by_status="By state",
    by_month="By month of creation",
    months_in_figures="Months in figures",
    top_customers="Largest customers",
    top_owners="Owners",
    earlier="The latest {} months; earlier ones are in the totals.",
    notes=(
        "Amounts are totals without tax of the current revisions, each in its own currency. Won: accepted. Win rate: accepted "
        "among those that are accepted, declined or expired, by number."
    ),
    page="Page {} of {}",
    legend_volume="volume",
    legend_won="won",
    statuses=MappingProxyType(
        {
            "draft": "Draft",
            "pending_approval": "Waiting for approval",
            "approved": "Approved",
            "rejected": "Rejected",
            "sent": "Sent",
            "accepted": "Accepted",
            "declined": "Declined",
            "expired": "Expired",
            "cancelled": "Cancelled",
            "superseded": "Superseded",
        }
    ),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
GERMAN = SummaryLabels(
    title="Übersicht der Angebote",
    period="Zeitraum",
    whole_period="Alle Angebote",
    since="Ab {}",
    until="Bis {}",
    status="Zustand",
    customer="Kunde",
    owner="Zuständig",
    made_at="Stand",
    quotes="Angebote",
    volume="Volumen",
    won="Gewonnen",
    won_quotes="Gewonnene Angebote",
    win_rate="Gewinnquote",
    share="Anteil",
    average="Durchschnitt",
    month="Monat",
    by_status="Nach Zustand",
    by_month="Nach Monat der Erstellung",
    months_in_figures="Monate in Zahlen",
    top_customers="Größte Kunden",
    top_owners="Zuständige",
    earlier="Die letzten {} Monate; frühere sind in den Summen enthalten.",
    notes=(
        "Beträge sind Summen ohne Steuer der aktuellen Fassungen, jede in ihrer Währung. Gewonnen: angenommen. Gewinnquote: "
        "Anteil der angenommenen an den angenommenen, abgelehnten und abgelaufenen Angeboten, nach Anzahl."
    ),
    page="Seite {} von {}",
    legend_volume="Volumen",
    legend_won="gewonnen",
    statuses=MappingProxyType(
        {
            "draft": "Entwurf",
            "pending_approval": "Wartet auf Freigabe",
            "approved": "Freigegeben",
            "rejected": "Zurückgewiesen",
            "sent": "Gesendet",
            "accepted": "Angenommen",
            "declined": "Abgelehnt",
            "expired": "Abgelaufen",
            "cancelled": "Storniert",
            "superseded": "Ersetzt",
        }
    ),
    months=("Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"),
)
KOREAN = SummaryLabels(
    title="견적 요약",
    period="기간",
    whole_period="전체 견적",
    since="{}부터",
    until="{}까지",
    status="상태",
    customer="고객",
    owner="담당자",
    made_at="기준 시각",
    quotes="견적 수",
    volume="금액",
    won="수주",
    won_quotes="수주 건수",
    win_rate="수주율",
    share="비중",
    average="평균",
    month="월",
    by_status="상태별",
    by_month="작성 월별",
    months_in_figures="월별 수치",
    top_customers="주요 고객",
    top_owners="담당자별",
    earlier="최근 {}개월; 이전 달은 합계에만 포함됩니다.",
    notes=(
        "금액은 현재 개정판의 세전 합계이며 통화별로 집계합니다. 수주: 수락된 견적. 수주율: 수락, 거절, 만료된 견적 가운데 "
        "수락된 견적의 건수 비율."
    ),
    page="{} / {}쪽",
    legend_volume="금액",
    legend_won="수주",
    statuses=MappingProxyType(
        {
            "draft": "초안",
            "pending_approval": "승인 대기",
            "approved": "승인됨",
            "rejected": "반려됨",
            "sent": "발송됨",
            "accepted": "수락됨",
            "declined": "거절됨",
            "expired": "만료됨",
            "cancelled": "취소됨",
            "superseded": "대체됨",
        }
    ),
    months=tuple(f"{month}월" for month in range(1, 13)),
)
SUMMARY_LABELS = MappingProxyType({"en": ENGLISH, "de": GERMAN, "ko": KOREAN})
