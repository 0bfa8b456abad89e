"""Reports on deliveries as mail servers write them (RFC 3462, 3464, 6522), read with the standard library.

Anybody can write to a return path, and reading mail can be made to take very long: each level of parts looks at every line,
and a header is searched for its parameters again and again. So lines, parts and headers are counted before anything is read.
"""

import re
import unicodedata
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as MimePart
from email.parser import HeaderParser
from email.policy import compat32
from typing import Any, Final, TypeAlias

from src.application.ports.mail import LONGEST_HEADER, ReportReader
from src.domain.messaging.report import (
    LARGEST_REPORT,
    DeliveryReport,
    NoDeliveryReport,
    RecipientReport,
    ReportedAction,
)
from src.domain.shared.text import storable

MOST_LINES: Final = 30_000
MOST_CONTAINERS: Final = 32  # A returned mail of ours has two, beside the three of the report itself.
MOST_RECIPIENTS: Final = 100
LONGEST_TYPE: Final = 2_000  # Bytes of one Content-Type, folded lines included.
_CONTAINER: Final = re.compile(rb"(?i)multipart/|message/")
_TYPE: Final = re.compile(rb"(?i)(?:\A|[\r\n])content-type:((?:[^\r\n]|(?:\r\n|\r|\n)[ \t])*)")
_RETURNED: Final = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
_STATUS: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)  # RFC 3463, 2.
_WORD: Final = re.compile(r"[a-z]+", re.ASCII)

# The older policy: it leaves headers as they are, where the newer one parses each by a grammar of its own.
_Part: TypeAlias = "MimePart[str, str]"


class EmailReportReader(ReportReader):
    def read(self, content: bytes) -> DeliveryReport:
        _check_size(content)
        try:
            mail = message_from_bytes(content, policy=compat32)
            if mail.get_content_type() != "multipart/report" or _report_type(mail) != "delivery-status":
                raise NoDeliveryReport(
                    "This mail is no delivery report (multipart/report; report-type=delivery-status)."
                )
            return _report(_parts_of(mail))
        # ValueErrors have been seen, of character sets in parameters; it is not made for what strangers write.
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise NoDeliveryReport("This delivery report cannot be read.") from error


def _check_size(content: bytes) -> None:
    if len(content) > LARGEST_REPORT:
        raise NoDeliveryReport(
            f"A delivery report has at most {LARGEST_REPORT} bytes; what was returned can be cut off."
        )
    if (
        len(content.splitlines()) > MOST_LINES
        or sum(1 for _ in _CONTAINER.finditer(content)) > MOST_CONTAINERS
        or any(len(found[1]) > LONGEST_TYPE for found in _TYPE.finditer(content))
    ):
        raise NoDeliveryReport("This mail has more lines, parts or parameters than any delivery report.")


def _report_type(mail: _Part) -> str:
    value = mail.get_param("report-type")
    return value.lower() if isinstance(value, str) else ""


def _report(parts: list[_Part]) -> DeliveryReport:
    told = next((one for one in parts if one.get_content_type() == "message/delivery-status"), None)
    blocks = [] if told is None else _parts_of(told)
    if not blocks:
        raise NoDeliveryReport("This delivery report tells nothing a machine could read.")
    of_mail, *of_recipients = blocks
    recipients = tuple(_recipients(of_recipients, _after_type(_line(of_mail, "Reporting-MTA"))))
    if not recipients:
        raise NoDeliveryReport("This delivery report is about no recipient.")
    return DeliveryReport(
        envelope_id=_line(of_mail, "Original-Envelope-Id"), message_id=_message_id(parts), recipients=recipients
    )


def _recipients(blocks: list[_Part], reporter: str) -> Iterator[RecipientReport]:
    for block in [one for one in blocks if one.keys()][:MOST_RECIPIENTS]:
        action = _WORD.match(_line(block, "Action").lower())
        status = _STATUS.match(_line(block, "Status"))
        try:
            known = ReportedAction("" if action is None else action[0])
        except ValueError:
            raise NoDeliveryReport("This delivery report names an action that RFC 3464 does not know.") from None
        yield RecipientReport(
            action=known,
            status="" if status is None else status[0],
            diagnostic=_after_type(_line(block, "Diagnostic-Code")),
            reporter=_after_type(_line(block, "Remote-MTA")) or reporter,
        )


def _message_id(parts: list[_Part]) -> str:
    """Of the mail that came back, or of its headers alone."""
    returned = next((one for one in parts if one.get_content_type() in _RETURNED), None)
    if returned is None:
        return ""
    inside = _parts_of(returned)
    return _line(inside[0] if inside else _headers_in(returned), "Message-ID")


def _headers_in(part: _Part) -> _Part:
    """Read as ASCII: of the character sets that a stranger can name, one takes minutes for 1 MiB that suits it."""
    del part["Content-Type"]
    return HeaderParser(policy=compat32).parsestr(str(part.get_payload()))


def _parts_of(part: _Part) -> list[_Part]:
    payload: Any = part.get_payload() if part.is_multipart() else []
    return list(payload)


def _line(part: _Part, name: str) -> str:
    """A header, unfolded and without anything that could be no text; the first where there are several. Some write UTF-8."""
    raw = next((value for key, value in part.raw_items() if key.lower() == name.lower()), "")
    text = storable(raw[: 2 * LONGEST_HEADER].encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    visible = "".join(" " if unicodedata.category(one) in {"Cc", "Cf", "Zl", "Zp"} else one for one in text)
    return " ".join(visible.split())[:LONGEST_HEADER]


def _after_type(text: str) -> str:
    """What stands behind ``smtp;`` or ``dns;``."""
    kind, separator, rest = text.partition(";")
    return rest.strip() if separator and _WORD.match(kind.strip().lower()) else text
