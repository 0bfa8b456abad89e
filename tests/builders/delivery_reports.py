"""Delivery reports as Postfix and Exchange write them."""

from src.domain.messaging.report import ReportedAction

_TOLD = {
    ReportedAction.DELIVERED: ("2.0.0", "250 2.0.0 Ok: queued as 4F1"),
    ReportedAction.FAILED: ("5.1.1", "550 5.1.1 No such user here"),
    ReportedAction.DELAYED: ("4.4.1", "connect to mx.brandt.example: Connection timed out"),
    ReportedAction.RELAYED: ("2.0.0", "250 2.0.0 Ok, and nothing more"),
    ReportedAction.EXPANDED: ("2.0.0", "250 2.0.0 Handed on"),
}


def a_postfix_report(
    action: str = "failed",
    *,
    envelope_id: str = "",
    message_id: str = "",
    recipient: str = "katrin@brandt.example",
    more: str = "",
) -> bytes:
    """With the headers of what was sent, if a *message_id* is given. *more* are further blocks of recipients."""
    status, diagnostic = _TOLD.get(ReportedAction(action), ("", "")) if action in set(ReportedAction) else ("", "")
    envelope = f"Original-Envelope-Id: {envelope_id}\n" if envelope_id else ""
    returned = f"\n--B1A2/relay\nContent-Type: text/rfc822-headers\n\nSubject: Offer\n{_header(message_id)}\n"
    text = f"""\
Return-Path: <>
Received: by relay.proffer.example (Postfix) id 9C1; Sat, 21 Nov 2026 10:00:02 +0000 (UTC)
Date: Sat, 21 Nov 2026 10:00:02 +0000 (UTC)
From: Mail Delivery System <MAILER-DAEMON@relay.proffer.example>
Subject: Mail delivery: what became of it
To: bounces@proffer.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="B1A2/relay"
Content-Transfer-Encoding: 8bit
Message-Id: <20261121100002.9C1@relay.proffer.example>

This is a MIME-encapsulated message.

--B1A2/relay
Content-Description: Notification
Content-Type: text/plain; charset=utf-8

This is the mail system at host relay.proffer.example, about <{recipient}>.

--B1A2/relay
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.proffer.example
{envelope}X-Postfix-Queue-ID: 9C1
X-Postfix-Sender: rfc822; bounces@proffer.example
Arrival-Date: Sat, 21 Nov 2026 10:00:01 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.brandt.example
Diagnostic-Code: smtp; {diagnostic}
    (in reply to a command)
{more}{returned if message_id else ""}
--B1A2/relay--
"""
    return text.replace("\n", "\r\n").encode()


def an_exchange_report(message_id: str, *, recipient: str = "katrin@brandt.example") -> bytes:
    """It gives no envelope id back, but the mail itself."""
    text = f"""\
From: postmaster@brandt.example
To: bounces@proffer.example
Date: Sat, 21 Nov 2026 10:00:03 +0000
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="41d0-8f6e"
X-MS-Exchange-Message-Is-Ndr:
Content-Language: en-US
Message-ID: <6f0e@MAIL01.brandt.example>
In-Reply-To: {message_id}
References: {message_id}
Subject: Undeliverable: Offer
Auto-Submitted: auto-replied
MIME-Version: 1.0

--41d0-8f6e
Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="9b7c-8f6e"

--9b7c-8f6e
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Your message to {recipient} could not be delivered.=20
--9b7c-8f6e
Content-Type: text/html; charset="us-ascii"

<p>Your message could not be delivered.</p>
--9b7c-8f6e--

--41d0-8f6e
Content-Type: message/delivery-status

Reporting-MTA: dns;MAIL01.brandt.example
Received-From-MTA: dns;relay.proffer.example
Arrival-Date: Sat, 21 Nov 2026 10:00:02 +0000

Original-Recipient: rfc822;{recipient}
Final-Recipient: rfc822;{recipient}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by lookup

--41d0-8f6e
Content-Type: message/rfc822

Received: from relay.proffer.example by MAIL01.brandt.example; Sat, 21 Nov 2026 10:00:02 +0000
{_header(message_id)}From: offers@proffer.example
Subject: Offer
Content-Type: multipart/mixed; boundary="==inner"
MIME-Version: 1.0

--==inner
Content-Type: text/plain

Dear Katrin
--==inner--

--41d0-8f6e--
"""
    return text.replace("\n", "\r\n").encode()


def _header(message_id: str) -> str:
    return f"Message-ID: {message_id}\n" if message_id else ""
