"""Messages to send, and a mail server on loopback to send them to."""

import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from src.adapters.security import KeyRing, SignedEnvelopes
from src.application.ports.mail import Attachment, Email

ENVELOPES = SignedEnvelopes(KeyRing(["a key of the tests, long enough for anybody"]))
USERNAME, PASSWORD = "proffer", "correct horse"
PDF = Attachment(
    file_name="Angebot Q-2026-000123 – 견적서.pdf", content_type="application/pdf", content=b"%PDF-1.7\x00\xff"
)


def an_email(**changes: Any) -> Email:
    email = Email(
        message_id="<0192f0c1-0000-7000-8000-000000000001@proffer.example>",
        sender_name="Nordwerk Automation, Vertrieb",
        reply_to="jana@nordwerk.example",
        recipient="lucja@kowalski.example",
        recipient_name="Łucja Kowalska",
        subject="Angebot Q-2026-000123 · 견적서",
        text="Guten Tag,\n.\nanbei unser Angebot über 1.234,50 €.\n",
        html="<p>Guten Tag, anbei unser Angebot über <b>1.234,50 €</b>.</p>",
        attachments=(PDF,),
    )
    return replace(email, **changes)


@dataclass
class Sink:
    """What the server got, and what it is to answer: set *recipient_answer* or *data_answer* to refuse, *refused* for some."""

    host: str = "127.0.0.1"
    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    recipient_answer: str = ""
    data_answer: str | bytes = ""
    refused: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 — The server looks for this name.
        answer = self.refused.get(address, self.recipient_answer)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str | bytes:  # noqa: N802 — As above.
        if self.data_answer:
            return self.data_answer
        self.envelopes.append(envelope)
        return f"250 queued as {len(self.envelopes)}"


class ReportingServer(SMTP):
    """A server that takes orders for reports (RFC 3461): aiosmtpd itself knows no such options, and would refuse them.

    They stand in the envelope's options, as they were written.
    """

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 — As aiosmtpd has it.
        rest, options = _without_orders(arg or "", r"RET|ENVID")
        await super().smtp_MAIL(rest)
        if self.envelope is not None:
            self.envelope.mail_options += options

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 — As above.
        rest, options = _without_orders(arg or "", r"NOTIFY|ORCPT")
        await super().smtp_RCPT(rest)
        if self.envelope is not None:
            self.envelope.rcpt_options += options


class ReportingSink(Sink):
    async def handle_EHLO(  # noqa: N802 — As above.
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]


class ReportingController(Controller):
    def factory(self) -> SMTP:
        return ReportingServer(self.handler, **self.SMTP_kwargs)


def _without_orders(arg: str, names: str) -> tuple[str, list[str]]:
    orders = re.findall(rf" ((?:{names})=\S*)", arg)
    return re.sub(rf" (?:{names})=\S*", "", arg), orders


@contextmanager
def a_mail_server(folder: Path) -> Iterator[tuple[Sink, ssl.SSLContext]]:
    """A server that wants STARTTLS and a login, with a certificate that only the returned context trusts."""
    certificate, key = _self_made_certificate(folder)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    sink = Sink(port=free_port())
    controller = Controller(
        sink,
        hostname=sink.host,
        port=sink.port,
        server_hostname="localhost",
        tls_context=server_side,
        require_starttls=True,
        auth_required=True,
        authenticator=_knows,
    )
    controller.start()
    try:
        yield sink, ssl.create_default_context(cafile=str(certificate))
    finally:
        controller.stop()


def _knows(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
    known = (login.login, login.password) == (USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=False)


def free_port() -> int:
    """The controller tries its own port once it listens, so it has to be told one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _self_made_certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
