"""What can be done about a job depends on where it stands, and on nothing else."""

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.domain.jobs.record import STARTS, JobRecord, JobState, JobStateConflict, JobVerb
from tests.builders.quotes import NOON

JOB = JobRecord(id=uuid4(), name="n", subject_id=uuid4(), state=JobState.QUEUED, created_at=NOON, due_at=NOON)


@given(st.lists(st.sampled_from(list(JobVerb)), max_size=6), st.sampled_from(list(JobState)))
def test_verbs_lead_from_where_the_table_says_and_leave_an_event(verbs: list[JobVerb], state: JobState) -> None:
    job = replace(JOB, state=state, attempt=3, error="e")
    for verb in verbs:
        do = job.retry if verb is JobVerb.RETRY else job.cancel
        if job.state not in STARTS[verb]:
            with pytest.raises(JobStateConflict) as refused:
                do(at=NOON)
            assert refused.value.details == {"state": job.state.value, "verb": verb.value}
            continue
        change = do(at=NOON)
        assert [(event.name, event.subject_id) for event in change.events] == [(job.name, job.subject_id)]  # type: ignore[attr-defined]  # Both are JobEvents.
        job = change.after
        if verb is JobVerb.RETRY:
            assert (job.state, job.attempt, job.ended_at) == (JobState.QUEUED, 0, None)
        else:
            assert (job.state, job.attempt, job.ended_at) == (JobState.CANCELLED, change.before.attempt, NOON)  # type: ignore[union-attr]  # It was there.


@pytest.mark.parametrize("state", [JobState.SUCCEEDED, JobState.CANCELLED])
def test_what_has_ended_stays_as_it_is(state: JobState) -> None:
    job = replace(JOB, state=state)
    for do in (job.retry, job.cancel):
        with pytest.raises(JobStateConflict):
            do(at=NOON)
