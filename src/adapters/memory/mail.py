"""A mailer that keeps what was sent, for tests."""

from src.application.ports.mail import Email, MailDeferred, Mailer, MailRefused, refuse_unsafe


class MemoryMailer(Mailer):
    """*sent* has the messages in their order. ``fail_with`` makes the next sendings fail, one error each."""

    def __init__(self) -> None:
        self.sent: list[Email] = []
        self._failures: list[MailRefused | MailDeferred] = []

    def fail_with(self, *failures: MailRefused | MailDeferred) -> None:
        self._failures.extend(failures)

    async def send(self, email: Email) -> str:
        refuse_unsafe(email)
        if self._failures:
            raise self._failures.pop(0)
        self.sent.append(email)
        return f"250 kept as number {len(self.sent)}"
