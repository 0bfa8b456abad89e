"""The words that an offer prints by itself, by language."""

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Texts with ``{}`` take a value. *tax_categories* are codes of UNCL 5305; other codes are printed as they are.

    So with *units*, codes of UN/ECE Recommendation 20.
    """

    offer: str
    number: str
    revision: str
    issued_on: str
    valid_until: str
    contact: str
    salesperson: str
    buyer: str
    registration_number: str
    korean_registration_number: str
    vat_number: str
    position: str
    description: str
    quantity: str
    unit_price: str
    discount: str
    discount_and_charge: str
    net: str
    subtotal: str
    document_discount: str
    document_charge: str
    total_without_tax: str
    total_with_tax: str
    retained: str
    rounding: str
    prepaid: str
    payable: str
    tax: str
    tax_base: str
    tax_amount: str
    surcharge: str
    exempt: str
    withheld: str
    terms: str
    amounts_in: str
    prices_include_tax: str
    option: str
    option_chosen: str
    deposit: str
    balance: str
    instalment: str
    days: str
    page: str
    digest: str
    tax_categories: MappingProxyType[str, str]
    units: MappingProxyType[str, str]


ENGLISH = Labels(
    offer="Offer",
    number="Number",
    revision="Revision",
    issued_on="Date",
    valid_until="Valid until",
    contact="Contact",
    salesperson="Your contact person",
    buyer="Prepared for",
    registration_number="Reg. no. {}",
    korean_registration_number="Business reg. no. {}",
    vat_number="VAT ID {}",
    position="#",
    description="Description",
    quantity="Quantity",
    unit_price="Unit price",
    discount="Discount",
    discount_and_charge="Discount / charge",
    net="Amount",
    subtotal="Subtotal",
    document_discount="Discount",
    document_charge="Charge",
    total_without_tax="Total without tax",
    total_with_tax="Total with tax",
    retained="Withheld tax",
    rounding="Rounding",
    prepaid="Prepaid",
    payable="Amount payable",
    tax="Tax",
    tax_base="Taxable amount",
    tax_amount="Tax amount",
    surcharge="surcharge {}",
    exempt="exempt",
    withheld="withheld",
    terms="Terms",
    amounts_in="All amounts in {}.",
    prices_include_tax="Prices include tax.",
    option="Option, not included in the total",
    option_chosen="Option, included",
    deposit="Deposit on acceptance",
    balance="Balance",
    instalment="Instalment",
    days="{} days after acceptance",
    page="Page {} of {}",
    digest="Content digest {}",
    units=MappingProxyType(
        {
            "C62": "pcs",
            "H87": "pcs",
            "HUR": "h",
            "DAY": "days",
            "MON": "months",
            "ANN": "years",
            "MTR": "m",
            "MTK": "m²",
            "MTQ": "m³",
            "KGM": "kg",
            "TNE": "t",
            "LTR": "l",
            "SET": "sets",
            "PR": "pairs",
            "XBX": "boxes",
        }
    ),
    tax_categories=MappingProxyType(
        {
            "S": "VAT",
            "Z": "Zero-rated",
            "E": "Exempt from tax",
            "AE": "Reverse charge",
            "K": "Intra-Community supply",
            "G": "Export",
            "O": "Not subject to tax",
        }
    ),
)
GERMAN = Labels(
    offer="Angebot",
    number="Nummer",
    revision="Revision",
    issued_on="Datum",
    valid_until="Gültig bis",
    contact="Kontakt",
    salesperson="Ihr Ansprechpartner",
    buyer="Angebot für",
    registration_number="Reg.-Nr. {}",
    korean_registration_number="Unternehmensnr. {}",
    vat_number="USt-IdNr. {}",
    position="Pos.",
    description="Beschreibung",
    quantity="Menge",
    unit_price="Einzelpreis",
    discount="Rabatt",
    discount_and_charge="Rabatt / Zuschlag",
    net="Betrag",
    subtotal="Zwischensumme",
    document_discount="Rabatt",
    document_charge="Zuschlag",
    total_without_tax="Summe ohne Steuer",
    total_with_tax="Summe mit Steuer",
    retained="Einbehaltene Steuer",
    rounding="Rundung",
    prepaid="Bereits bezahlt",
    payable="Zu zahlen",
    tax="Steuer",
    tax_base="Bemessungsgrundlage",
    tax_amount="Steuerbetrag",
    surcharge="Aufschlag {}",
    exempt="steuerfrei",
    withheld="einbehalten",
    terms="Bedingungen",
    amounts_in="Alle Beträge in {}.",
    prices_include_tax="Preise enthalten Steuer.",
    option="Option, nicht in der Summe enthalten",
    option_chosen="Option, enthalten",
    deposit="Anzahlung bei Annahme",
    balance="Restbetrag",
    instalment="Rate",
    days="{} Tage nach Annahme",
    page="Seite {} von {}",
    digest="Prüfsumme des Inhalts {}",
    units=MappingProxyType(
        {
            "C62": "Stk.",
            "H87": "Stk.",
            "HUR": "Std.",
            "DAY": "Tage",
            "MON": "Monate",
            "ANN": "Jahre",
            "MTR": "m",
            "MTK": "m²",
            "MTQ": "m³",
            "KGM": "kg",
            "TNE": "t",
            "LTR": "l",
            "SET": "Sets",
            "PR": "Paar",
            "XBX": "Karton",
        }
    ),
    tax_categories=MappingProxyType(
        {
            "S": "USt.",
            "Z": "Nullsatz",
            "E": "Steuerfrei",
            "AE": "Steuerschuldnerschaft des Leistungsempfängers",
            "K": "Innergemeinschaftliche Lieferung",
            "G": "Ausfuhr",
            "O": "Nicht steuerbar",
        }
    ),
)
KOREAN = Labels(
    offer="견적서",
    number="견적 번호",
    revision="차수",
    issued_on="견적일",
    valid_until="유효 기한",
    contact="담당자",
    salesperson="영업 담당",
    buyer="수신",
    registration_number="등록번호 {}",
    korean_registration_number="사업자등록번호 {}",
    vat_number="VAT 번호 {}",
    position="번호",
    description="품목",
    quantity="수량",
    unit_price="단가",
    discount="할인",
    discount_and_charge="할인 / 추가",
    net="금액",
    subtotal="소계",
    document_discount="할인",
    document_charge="추가 요금",
    total_without_tax="공급가액",
    total_with_tax="세금 포함 합계",
    retained="원천징수",
    rounding="끝수 조정",
    prepaid="선수금",
    payable="결제 금액",
    tax="세금",
    tax_base="과세 표준",
    tax_amount="세액",
    surcharge="가산 {}",
    exempt="면세",
    withheld="원천징수",
    terms="거래 조건",
    amounts_in="모든 금액의 단위: {}.",
    prices_include_tax="단가에 세금이 포함되어 있습니다.",
    option="선택 사항, 합계에 포함되지 않음",
    option_chosen="선택 사항, 포함됨",
    deposit="계약금",
    balance="잔금",
    instalment="분할금",
    days="수락 후 {}일",
    page="{} / {} 쪽",
    digest="문서 해시 {}",
    units=MappingProxyType(
        {
            "C62": "개",
            "H87": "개",
            "HUR": "시간",
            "DAY": "일",
            "MON": "개월",
            "ANN": "년",
            "MTR": "m",
            "MTK": "m²",
            "MTQ": "m³",
            "KGM": "kg",
            "TNE": "t",
            "LTR": "l",
            "SET": "세트",
            "PR": "켤레",
            "XBX": "상자",
        }
    ),
    tax_categories=MappingProxyType(
        {
            "S": "부가세",
            "Z": "영세율",
            "E": "면세",
            "AE": "매입자 납부",
            "K": "EU 역내 공급",
            "G": "수출",
            "O": "과세 대상 아님",
        }
    ),
)
LABELS = MappingProxyType({"en": ENGLISH, "de": GERMAN, "ko": KOREAN})
