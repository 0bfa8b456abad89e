"""The database makes the jobs that are due, each once, for every organisation; and purges what was kept long enough."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from src.adapters.jobs.attempts import Attempt
from src.adapters.jobs.upkeep import purge, run_schedules
from src.application.ports.jobs import Job, JobFilter
from src.application.ports.paging import Paging
from src.domain.identity.actor import Role
from src.domain.jobs.record import JobNotFound
from src.domain.quoting.validity import end_of_validity
from src.domain.shared.ids import QuoteId
from tests.builders.quotes import NOON, a_content, a_customer, a_new_quote
from tests.job_queue import Queue, until
from tests.organizations import TestOrganization, new_organization

pytestmark = pytest.mark.asyncio


async def _sent(
    queue: Queue, team: TestOrganization, *, sent_at: datetime, ends: timedelta, zone: str = "UTC"
) -> QuoteId:
    """Sent at a time and over at about now + *ends*, whatever the day is."""
    [now] = await queue.ask("SELECT now()::text")
    content = a_content(valid_until=(datetime.fromisoformat(str(now)) + ends).date(), time_zone=zone)
    sales = team.actor(Role.SALES)
    async with queue.open(sales) as uow:
        customer = await uow.customers.save(a_customer().create())
        stored = await uow.quotes.save(a_new_quote(customer_id=customer.id, by=sales.person, content=content))
        submitted = await uow.quotes.save(stored.submit(by=sales.person, at=NOON, needs_approval=False))
        sent = await uow.quotes.save(submitted.send(at=sent_at, expected_digest=None))
        await uow.commit()
    return sent.id


async def _jobs(queue: Queue, team: TestOrganization) -> list[tuple[str, UUID]]:
    async with queue.open(team.actor(Role.SALES)) as uow:
        page = await uow.jobs.page(JobFilter(), Paging())
    return sorted((job.name, job.subject_id) for job in page.items)


async def test_what_is_due_is_made_once_and_what_is_not_is_left(queue: Queue) -> None:
    ours, theirs = await new_organization(queue.open), await new_organization(queue.open)
    over = await _sent(queue, ours, sent_at=NOON, ends=timedelta(days=-2))
    ending = await _sent(queue, ours, sent_at=NOON, ends=timedelta(days=1))
    await _sent(queue, ours, sent_at=NOON, ends=timedelta(days=10))
    foreign = await _sent(queue, theirs, sent_at=NOON, ends=timedelta(days=-2))

    assert await run_schedules(queue.urls.worker) == 3
    assert await run_schedules(queue.urls.worker) == 0

    assert await _jobs(queue, ours) == [("expire_quote", over), ("remind_of_expiry", ending)]
    assert await _jobs(queue, theirs) == [("expire_quote", foreign)]


async def test_the_jobs_can_be_read(queue: Queue) -> None:
    team = await new_organization(queue.open)
    over = await _sent(queue, team, sent_at=NOON, ends=timedelta(days=-2))
    await run_schedules(queue.urls.worker)
    found: list[Job] = []

    async def note(job: Job, _: Attempt) -> None:
        found.append(job)

    named = Queue(queue.urls, queue.open, queue.organization, queue.admin, "expire_quote")
    async with named.worker(note):
        await until(lambda: over in [job.subject_id for job in found])
    [job] = [job for job in found if job.subject_id == over]

    assert (job.name, job.organization_id) == ("expire_quote", team.organization.id)
    assert len(job.trace_id) == 32


async def test_an_offer_that_was_sent_for_a_short_time_needs_no_reminder(queue: Queue) -> None:
    team = await new_organization(queue.open)
    [now] = await queue.ask("SELECT now()::text")
    await _sent(queue, team, sent_at=datetime.fromisoformat(str(now)), ends=timedelta(days=1))

    await run_schedules(queue.urls.worker)

    assert await _jobs(queue, team) == []


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Santiago", "Europe/Berlin"])
async def test_the_stored_end_is_the_domains(queue: Queue, zone: str) -> None:
    team = await new_organization(queue.open)
    sent = await _sent(queue, team, sent_at=NOON, ends=timedelta(days=5), zone=zone)
    async with queue.open(team.actor(Role.SALES)) as uow:
        quote = await uow.quotes.get(sent)

    [stored] = await queue.ask(
        f"SELECT extract(epoch FROM ends_at)::bigint FROM proffer.quote_revisions WHERE quote_id = '{sent}'"
    )

    end = end_of_validity(quote.current.content.valid_until, zone)
    assert int(stored) == int(end.timestamp())


async def test_the_log_of_the_queue_does_not_grow_for_ever_and_dead_letters_stay(queue: Queue) -> None:
    team = await new_organization(queue.open)
    jobs = []
    for state in ("succeeded", "cancelled", "failed", "queued"):
        job = queue.a_job()
        await queue.add(job)
        await queue.do(
            f"UPDATE proffer.jobs SET state = '{state}', ended_at = now() - interval '31 days' WHERE id = '{job.id}'"
        )
        jobs.append(job)
    await queue.do("UPDATE jobs.pgqueuer_log SET created = now() - interval '8 days'")
    young = queue.a_job()
    await queue.add(young)

    assert await purge(queue.urls.worker) >= 6

    kept = await queue.ask("SELECT status::text FROM jobs.pgqueuer_log")
    assert kept == ["queued"]
    for job in jobs[:2]:
        with pytest.raises(JobNotFound):
            await queue.record(job)
    for job in (*jobs[2:], young):
        assert (await queue.record(job)).id == job.id
    assert await _jobs(queue, team) == []
