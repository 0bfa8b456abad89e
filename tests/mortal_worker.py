"""Workers to be killed: forked from one process that has loaded everything, so that sixty of them cost little.

Every line on standard input is answered with the number of a new process, which delivers quotes until it dies.
"""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from obstore.store import LocalStore

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.worker import WorkerSettings, run_worker
from src.adapters.memory.documents import PlainTextRenderer
from src.adapters.postgres.engine import make_engine
from src.adapters.postgres.fence import fenced
from src.adapters.postgres.unit_of_work import OpenPostgresUnitOfWork
from src.adapters.smtp import JinjaMailTemplates, SmtpMailer
from src.adapters.smtp.settings import SmtpSettings
from src.adapters.storage.obstore_storage import ObstoreStorage
from src.adapters.system import SystemClock, Uuid7Ids
from src.application.messaging.deliver_quote import DeliverQuote, DeliverQuoteCommand
from src.application.ports.jobs import DELIVER_QUOTE, Job
from src.application.transactions import Transactions
from src.domain.identity.actor import Actor, Origin
from src.domain.shared.ids import MessageId
from tests.builders.mail import ENVELOPES

# So many attempts that only a lost message could keep the test waiting.
SETTINGS = WorkerSettings(
    attempts=1000,
    base=timedelta(milliseconds=5),
    cap=timedelta(milliseconds=200),
    poll=timedelta(milliseconds=50),
    heartbeat=timedelta(seconds=3),  # So that a busy machine makes nobody look dead.
)


async def work(worker_url: str, app_url: str, smtp_url: str, folder: str) -> None:
    app = make_engine(app_url, pool_size=8, patience=5)
    parsed = SmtpSettings.parse(smtp_url, sender_address="offers@proffer.example")
    settings = replace(parsed, timeout_seconds=5)  # A server that hangs costs a worker that long, and the test with it.
    deliver = DeliverQuote(
        Transactions(OpenPostgresUnitOfWork(app, app)),
        PlainTextRenderer(),
        ObstoreStorage(LocalStore(Path(folder), mkdir=True)),
        JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals"),
        SmtpMailer(settings),
        ENVELOPES,
        SystemClock(),
        Uuid7Ids(),
    )

    async def run(job: Job, attempt: Attempt) -> None:
        actor = Actor.job(organization_id=job.organization_id, name=job.name, origin=Origin(trace_id=job.trace_id))
        with fenced(job.id, attempt.fence):
            await deliver(actor, DeliverQuoteCommand(message_id=MessageId(job.subject_id)))

    await run_worker(worker_url, {DELIVER_QUOTE: run}, asyncio.Event(), SETTINGS)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The dead are not waited for.
    for _ in sys.stdin:
        number = os.fork()
        if number == 0:
            os.dup2(2, 1)  # The log is not what the test reads.
            asyncio.run(work(*sys.argv[1:]))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
