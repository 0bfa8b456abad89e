"""An offer all the way: priced, submitted, approved, rendered, sent, exported, audited."""

import asyncio
import csv
import email
import email.policy
import io
import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from lxml import etree
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from src.application.ports.unit_of_work import OpenUnitOfWork
from src.domain.identity.actor import Role
from src.domain.shared.ids import QuoteId
from tests.builders.pictures import a_logo
from tests.builders.quotes import a_content, a_new_quote
from tests.builders.quotes import a_customer as a_customer_of_domain
from tests.builders.ubl import faults_of
from tests.e2e.conftest import Caller, Team
from tests.e2e.mailbox import mail_to
from tests.e2e.offers import LINE, VAT_19, a_contact, a_customer, a_draft, a_pending_quote, an_approved_quote

pytestmark = pytest.mark.asyncio


@pytest.mark.usefixtures("worker")
async def test_an_offer_goes_all_the_way(team: Team, mail_folder: Path) -> None:
    approved = await an_approved_quote(team)
    path = f"/api/v1/quotes/{approved['id']}"

    sent = await team.sales.post(
        f"{path}/send", {"content_digest": approved["content_digest"], "note": "As we discussed."}
    )
    timeline = await _delivered(team.sales, path)
    pdf = await team.sales.get(f"{path}/pdf")
    verification = await team.owner.get("/api/v1/audit/verification")

    assert sent.json()["status"] == "sent"
    assert [entry["action"] for entry in timeline["entries"]] == [
        "quote.created",
        "quote.submitted",
        "approval.requested",
        "approval.decided",
        "quote.approved",
        "quote.sent",
        "message.queued",
        "quote.rendered",
        "message.handed_over",
    ]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf.content)).pages)
    assert approved["number"] in text
    assert "365.93" in text  # 10 × 30.75 + 19 %.
    assert _attached_pdf(mail_folder, timeline["messages"][0]["id"]) == pdf.content
    assert verification.json()["intact"] is True


@pytest.mark.usefixtures("worker")
async def test_the_logo_is_the_one_that_the_offer_began_with(team: Team) -> None:
    path = "/api/v1/organization/logo"
    headers = {"authorization": f"Bearer {team.owner.token}", "content-type": "image/png"}
    tag = await team.owner.tag_of("/api/v1/organization")
    set_ = await team.owner.client.put(path, content=a_logo(), headers=headers | {"if-match": tag})
    assert set_.status_code == 200
    approved = await an_approved_quote(team)
    quote = f"/api/v1/quotes/{approved['id']}"
    await team.owner.client.delete(path, headers=headers | {"if-match": set_.headers["etag"]})

    await team.sales.post(f"{quote}/send", {"content_digest": approved["content_digest"]})
    timeline = await _delivered(team.sales, quote)
    pdf = await team.sales.get(f"{quote}/pdf")

    assert b"/Subtype/Image" in pdf.content
    (rendered,) = [entry for entry in timeline["entries"] if entry["action"] == "quote.rendered"]
    assert rendered["details"]["logo_left_out"] is False


async def test_calculating_stores_nothing(team: Team) -> None:
    answer = await team.sales.post("/api/v1/quotes/calculate", {"lines": [LINE]})
    stored = await team.sales.get("/api/v1/quotes")

    assert answer.status_code == 200
    assert answer.json()["payable"] == "365.93"
    assert stored.json()["total"] == 0


async def test_without_a_policy_submitting_approves(team: Team) -> None:
    draft = await a_draft(team.sales)

    answer = await team.sales.post(f"/api/v1/quotes/{draft['id']}/submit")

    assert answer.json()["status"] == "approved"


async def test_the_submitter_cannot_approve_however_mighty(team: Team) -> None:
    await a_pending_quote(team)  # So that there is a policy.
    draft = await a_draft(team.admin)
    submitted = (await team.admin.post(f"/api/v1/quotes/{draft['id']}/submit")).json()

    answer = await team.admin.post(
        f"/api/v1/quotes/{draft['id']}/approve", {"content_digest": submitted["content_digest"]}
    )

    assert answer.status_code == 403
    assert answer.json()["error_code"] == "not_an_approver"


async def test_a_rejection_needs_a_reason_and_ends_in_a_new_revision(team: Team) -> None:
    pending = await a_pending_quote(team)
    path, digest = f"/api/v1/quotes/{pending['id']}", pending["content_digest"]

    without = await team.approver.post(f"{path}/reject", {"content_digest": digest, "reason": ""})
    rejected = await team.approver.post(f"{path}/reject", {"content_digest": digest, "reason": "Too cheap."})
    revised = await team.sales.post(f"{path}/revise")

    assert without.status_code == 422
    assert rejected.json()["status"] == "rejected"
    assert revised.json()["revision"] == 2
    assert [one["status"] for one in revised.json()["revisions"]] == ["superseded", "draft"]


async def test_a_recalled_quote_can_be_edited_and_has_no_digest(team: Team) -> None:
    pending = await a_pending_quote(team)
    path = f"/api/v1/quotes/{pending['id']}"

    refused = await team.sales.patch(path, {"title": "Too late"})
    recalled = await team.sales.post(f"{path}/recall")
    edited = await team.sales.patch(path, {"title": "In time"})

    assert refused.status_code == 409
    assert refused.json()["error_code"] == "invalid_transition"
    assert refused.json()["details"]["allowed_verbs"] == ["recall", "approve", "reject", "cancel"]
    assert recalled.json()["content_digest"] is None
    assert edited.json()["title"] == "In time"


async def test_what_was_approved_is_what_is_agreed_to(team: Team) -> None:
    """What is no digest at all is told apart from another's, at every door."""
    pending = await a_pending_quote(team)
    request = (await team.approver.get("/api/v1/approvals", waiting_for="me")).json()["items"][0]
    doors = [f"/api/v1/quotes/{pending['id']}", f"/api/v1/approvals/{request['id']}"]
    paths = [f"{door}/{verb}" for door in doors for verb in ("approve", "reject")]

    for path in paths:
        another = await team.approver.post(path, {"content_digest": "0" * 64, "reason": "No."})
        assert (another.status_code, another.json()["error_code"]) == (409, "content_changed"), path
        for digest in ("", "x", "0" * 63, pending["content_digest"].upper() + " "):
            none = await team.approver.post(path, {"content_digest": digest, "reason": "No."})
            [told] = none.json()["details"]
            assert (none.status_code, told["field"]) == (422, "content_digest"), path
            assert "64 hexadecimal digits" in told["message"]

    document = (await team.approver.get("/openapi.json")).json()
    for name in ("DecisionRequest", "RejectionRequest", "SendRequest", "ResendRequest", "StepDecisionRequest"):
        field = document["components"]["schemas"][name]["properties"]["content_digest"]
        assert "409 `content_changed`" in str(field), name


async def test_sending_a_new_revision_supersedes_the_old_one(team: Team) -> None:
    draft = await a_draft(team.sales)
    path = f"/api/v1/quotes/{draft['id']}"
    for verb in ("submit", "send", "revise", "submit"):
        answer = await team.sales.post(f"{path}/{verb}", {} if verb == "send" else None)
        assert answer.status_code == 200, answer.text

    sent = await team.sales.post(f"{path}/send", {})

    assert [one["status"] for one in sent.json()["revisions"]] == ["superseded", "sent"]


async def test_a_change_by_somebody_else_is_not_overwritten(team: Team) -> None:
    draft = await a_draft(team.sales)
    path = f"/api/v1/quotes/{draft['id']}"
    tag = (await team.sales.get(path)).headers["etag"]
    await team.admin.patch(path, {"title": "Mine"}, if_match=tag)

    answer = await team.sales.patch(path, {"title": "Yours"}, if_match=tag)

    assert answer.status_code == 412
    assert (await team.sales.get(path)).json()["title"] == "Mine"


async def test_lines_come_from_products_where_nothing_else_is_said(team: Team) -> None:
    product = (
        await team.admin.post(
            "/api/v1/products",
            {"sku": "DESK-180", "name": "Desk 180 cm", "list_price": "689.00", "tax_rate_percent": "19"},
        )
    ).json()
    draft = await a_draft(team.sales, lines=[{"product_id": product["id"], "quantity": "2"}])

    assert draft["lines"][0]["sku"] == "DESK-180"
    assert draft["calculation"]["payable"] == "1639.82"


async def test_a_price_in_another_currency_is_not_converted(team: Team) -> None:
    product = (
        await team.admin.post(
            "/api/v1/products", {"sku": "D", "name": "Desk", "list_price": "689.00", "tax_rate_percent": "19"}
        )
    ).json()
    customer = await a_customer(team.sales, currency="KRW")

    answer = await team.sales.post(
        "/api/v1/quotes",
        {"customer_id": customer["id"], "lines": [{"product_id": product["id"], "quantity": "1"}]},
    )

    assert answer.status_code == 422
    assert answer.json()["error_code"] == "price_not_found"
    assert answer.json()["details"][0]["field"] == "lines[0].unit_price"


async def test_quotes_are_listed_by_filters_search_and_pages(team: Team) -> None:
    for title in ("Alpha desk", "Beta 100 % desk", "Gamma chair"):
        await a_draft(team.sales, title=title)
    submitted = await a_draft(team.sales, title="Delta")
    await team.sales.post(f"/api/v1/quotes/{submitted['id']}/submit")

    drafts = (await team.sales.get("/api/v1/quotes", status="draft")).json()
    found = (await team.sales.get("/api/v1/quotes", search="DESK")).json()
    percent = (await team.sales.get("/api/v1/quotes", search="%")).json()
    first = (await team.sales.get("/api/v1/quotes", limit=3)).json()
    await a_draft(team.sales, title="Came in between")
    second = (await team.sales.get("/api/v1/quotes", limit=3, cursor=first["next_cursor"])).json()

    assert drafts["total"] == 3
    assert [item["title"] for item in found["items"]] == ["Beta 100 % desk", "Alpha desk"]
    assert [item["title"] for item in percent["items"]] == ["Beta 100 % desk"]
    assert [item["title"] for item in first["items"]] == ["Delta", "Gamma chair", "Beta 100 % desk"]
    assert [item["title"] for item in second["items"]] == ["Alpha desk"]
    assert second["next_cursor"] is None


async def test_quotes_are_exported_by_days_and_states(team: Team) -> None:
    draft = await a_draft(team.sales, title="=1+1")

    xlsx = await team.sales.get("/api/v1/quotes/export", format="xlsx", status="draft")
    text = await team.sales.get("/api/v1/quotes/export", format="csv", start_date="2020-01-01")
    nothing = await team.sales.get("/api/v1/quotes/export", end_date="2020-01-01")
    backwards = await team.sales.get("/api/v1/quotes/export", start_date="2026-02-02", end_date="2026-02-01")
    entries = (await team.owner.get("/api/v1/audit/entries", action="quotes.exported")).json()

    sheet = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.content)).get_sheet_by_index(0).to_python()
    assert sheet[0][0] == "Number"
    assert sheet[1][0] == draft["number"]
    assert sheet[1][4] == "=1+1"  # A text, never a formula.
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert rows[1][8] == "365.93"
    assert (nothing.status_code, nothing.json()["error_code"]) == (404, "nothing_to_export")
    assert backwards.status_code == 422
    assert entries["total"] == 2


async def test_everything_is_exported_in_every_format(team: Team) -> None:
    draft = await a_draft(team.sales, title="=1+1")
    product = {"sku": "P-1", "name": "Desk", "list_price": "9.50", "tax_category": "VAT", "tax_rate_percent": "19"}
    assert (await team.admin.post("/api/v1/products", product)).status_code == 201
    kinds = ("xlsx", "csv", "jsonl")
    names = {
        "/api/v1/quotes/export": "quotes",
        "/api/v1/quotes/lines/export": "quote-lines",
        "/api/v1/customers/export": "customers",
        "/api/v1/products/export": "products",
    }

    for path, name in names.items():
        files = {kind: await team.sales.get(path, format=kind) for kind in kinds}
        nothing = await team.sales.get(path, start_date="2099-01-01")
        other = await team.sales.get(path, format="pdf")

        assert [file.status_code for file in files.values()] == [200] * 3, files["xlsx"].text
        for kind, file in files.items():
            given = file.headers["content-disposition"]
            assert re.search(rf'filename="{name}-\d{{8}}-\d{{6}}\.{kind}"', given), given
        assert CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].content)).get_sheet_by_index(0).to_python()
        assert json.loads(files["jsonl"].text.splitlines()[0])
        assert (nothing.status_code, nothing.json()["error_code"]) == (404, "nothing_to_export")
        assert "No data for export" in nothing.text
        assert other.status_code in {400, 422}

    mine = await team.sales.get("/api/v1/quotes/export", format="jsonl", customer_id=draft["customer_id"])
    nobody = await team.sales.get("/api/v1/quotes/lines/export", customer_id=str(uuid4()))
    assert json.loads(mine.text)["title"] == "=1+1"
    assert nobody.status_code == 404
    assert (await team.viewer.get("/api/v1/customers/export")).status_code == 403


async def test_amounts_do_not_change_their_currency(team: Team) -> None:
    draft = await a_draft(team.sales, discounts=[{"amount": "5"}])

    answer = await team.sales.patch(f"/api/v1/quotes/{draft['id']}", {"currency": "USD", "lines": [LINE]})

    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "currency"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1999-12-31"])
async def test_days_at_the_ends_of_the_calendar_are_refused(day: str, team: Team) -> None:
    customer = await a_customer(team.sales)

    made = await team.sales.post("/api/v1/quotes", {"customer_id": customer["id"], "valid_until": day})
    exported = await team.sales.get("/api/v1/quotes/export", end_date=day)

    assert (made.status_code, exported.status_code) == (422, 422)


async def test_a_sent_offer_is_read_by_machines(team: Team) -> None:
    approved = await an_approved_quote(team)
    path = f"/api/v1/quotes/{approved['id']}"
    early = [await team.sales.get(f"{path}/document.{kind}") for kind in ("xml", "json")]
    await team.sales.post(f"{path}/send", {"content_digest": approved["content_digest"]})

    xml = await team.sales.get(f"{path}/document.xml")
    first = await team.sales.get(f"{path}/document.xml", revision=1)
    data = await team.owner.get(f"{path}/document.json")
    none = await team.sales.get(f"{path}/document.json", revision=7)

    assert [(answer.status_code, answer.json()["error_code"]) for answer in early] == [(404, "document_not_ready")] * 2
    assert (xml.status_code, xml.headers["content-type"].partition(";")[0]) == (200, "application/xml")
    assert f'filename="{approved["number"]}-1.xml"' in xml.headers["content-disposition"]
    assert '<cbc:PayableAmount currencyID="EUR">365.93</cbc:PayableAmount>' in xml.text
    assert faults_of(etree.fromstring(xml.content)) == []
    assert first.content == xml.content
    document = data.json()
    assert document["calculation"]["payable"] == "365.93"
    assert document["content_digest"] == approved["content_digest"]
    assert "margin" not in document["calculation"]  # Also for the owner, who may see it elsewhere.
    assert "unit_cost" not in document["lines"][0]
    assert (none.status_code, none.json()["error_code"]) == (404, "revision_not_found")


async def test_what_ubl_cannot_say_is_refused_with_the_reasons(team: Team) -> None:
    lines = [LINE | {"taxes": [VAT_19, {"category": "CITY", "rate_percent": "2.5"}]}]
    draft = await a_draft(team.sales, lines=lines)
    path = f"/api/v1/quotes/{draft['id']}"
    await team.sales.post(f"{path}/submit")
    await team.sales.post(f"{path}/send", {})

    xml = await team.sales.get(f"{path}/document.xml")
    data = await team.sales.get(f"{path}/document.json")

    assert (xml.status_code, xml.json()["error_code"]) == (409, "not_en16931_exact")
    assert "Line 1 has 2 taxes" in xml.text
    assert data.status_code == 200


async def test_the_pdf_is_there_only_after_sending(team: Team) -> None:
    draft = await a_draft(team.sales)

    answer = await team.sales.get(f"/api/v1/quotes/{draft['id']}/pdf")
    none = await team.sales.get(f"/api/v1/quotes/{draft['id']}/pdf", revision=9)

    assert (answer.status_code, answer.json()["error_code"]) == (404, "document_not_ready")
    assert (none.status_code, none.json()["error_code"]) == (404, "revision_not_found")
    assert none.json()["message"] == f"Quote {draft['number']} has no revision 9."


async def test_an_offer_without_lines_or_contact_cannot_be_submitted(team: Team) -> None:
    customer = await a_customer(team.sales)
    empty = (await team.sales.post("/api/v1/quotes", {"customer_id": customer["id"]})).json()
    lonely = (await team.sales.post("/api/v1/quotes", {"customer_id": customer["id"], "lines": [LINE]})).json()

    without_lines = await team.sales.post(f"/api/v1/quotes/{empty['id']}/submit")
    without_contact = await team.sales.post(f"/api/v1/quotes/{lonely['id']}/submit")

    assert (without_lines.status_code, without_lines.json()["error_code"]) == (422, "quote_has_no_lines")
    assert (without_contact.status_code, without_contact.json()["error_code"]) == (422, "recipient_missing")
    [told] = without_contact.json()["details"]
    assert told["field"] == "contact_id"
    assert "add one to the customer" in told["message"]
    assert told["message"] in without_contact.json()["message"]


async def test_an_offer_that_is_over_cannot_be_submitted(team: Team, open_postgres: OpenUnitOfWork) -> None:
    draft = await _a_draft_of(team, open_postgres, date(2020, 2, 29))

    answer = await team.sales.post(f"/api/v1/quotes/{draft}/submit")

    assert (answer.status_code, answer.json()["error_code"]) == (409, "validity_over")


async def test_no_draft_is_given_a_last_day_that_is_over_and_an_old_one_may_keep_it(
    team: Team, open_postgres: OpenUnitOfWork
) -> None:
    """Days are those of the organisation: its today may be somebody's yesterday."""
    today = datetime.now(team.organization.organization.zone).date()
    customer, old = await a_customer(team.sales), await _a_draft_of(team, open_postgres, date(2020, 2, 29))
    new = {"customer_id": customer["id"], "valid_until": (today - timedelta(days=1)).isoformat()}

    refused = [
        await team.sales.post("/api/v1/quotes", new),
        await team.sales.patch(f"/api/v1/quotes/{old}", {"valid_until": "2020-03-01"}),
    ]
    kept = await team.sales.patch(f"/api/v1/quotes/{old}", {"valid_until": "2020-02-29", "title": "Old"})
    made = await team.sales.post("/api/v1/quotes", new | {"valid_until": today.isoformat()})

    assert [answer.status_code for answer in refused] == [422, 422]
    assert {answer.json()["details"][0]["field"] for answer in refused} == {"valid_until"}
    assert (kept.status_code, kept.json()["title"], kept.json()["valid_until"]) == (200, "Old", "2020-02-29")
    assert (made.status_code, made.json()["valid_until"]) == (201, today.isoformat())


async def _a_draft_of(team: Team, open_uow: OpenUnitOfWork, valid_until: date) -> QuoteId:
    """One that has been left lying."""
    sales = team.organization.actor(Role.SALES)
    async with open_uow(sales) as uow:
        customer = await uow.customers.save(a_customer_of_domain().create())
        content = a_content(valid_until=valid_until)
        made = a_new_quote(customer_id=customer.id, by=sales.person, content=content)
        quote = await uow.quotes.save(made)
        await uow.commit()
    return quote.id


async def test_an_approval_that_nobody_could_give_is_refused_at_submit(team: Team) -> None:
    body = {"name": "Owners only", "steps": [{"name": "Owner", "roles": ["owner"]}]}
    await team.owner.post("/api/v1/approval-policies", body)
    draft = await a_draft(team.owner)

    answer = await team.owner.post(f"/api/v1/quotes/{draft['id']}/submit")

    assert (answer.status_code, answer.json()["error_code"]) == (409, "no_eligible_approver")
    assert (await team.owner.get(f"/api/v1/quotes/{draft['id']}")).json()["status"] == "draft"


async def test_a_contact_of_another_customer_does_not_receive_the_offer(team: Team) -> None:
    one, other = await a_customer(team.sales), await a_customer(team.sales)
    contact = await a_contact(team.sales, other["id"])

    answer = await team.sales.post("/api/v1/quotes", {"customer_id": one["id"], "contact_id": contact["id"]})

    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "contact_id"


async def test_prices_that_include_tax(team: Team) -> None:
    line = {
        "description": "Display",
        "quantity": "1",
        "unit_price": "24.99",
        "taxes": [VAT_19 | {"rate_percent": "20"}],
    }
    draft = await a_draft(team.sales, prices_include_tax="VAT", lines=[line])

    assert draft["calculation"]["payable"] == "24.99"
    assert draft["calculation"]["taxes"][0]["base"] == "20.82"


async def test_an_edited_line_keeps_its_identity(team: Team) -> None:
    draft = await a_draft(team.sales, lines=[LINE, LINE | {"description": "Chair"}])
    kept = draft["lines"][1]["id"]

    edited = await team.sales.patch(f"/api/v1/quotes/{draft['id']}", {"lines": [LINE | {"id": kept, "quantity": "3"}]})
    twice = await team.sales.patch(
        f"/api/v1/quotes/{draft['id']}", {"lines": [LINE | {"id": kept}, LINE | {"id": kept}]}
    )

    assert [line["id"] for line in edited.json()["lines"]] == [kept]
    assert twice.status_code == 422


async def _delivered(sales: Caller, path: str) -> dict[str, Any]:
    """The timeline, once the worker has handed the mail over."""
    async with asyncio.timeout(30):
        while True:
            timeline: dict[str, Any] = (await sales.get(f"{path}/timeline")).json()
            if timeline["messages"] and timeline["messages"][0]["status"] != "queued":
                return timeline
            await asyncio.sleep(0.05)


def _attached_pdf(folder: Path, message_id: str) -> bytes:
    (path,) = folder.glob(f"{message_id}*.eml")
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    (attachment,) = message.iter_attachments()
    content = attachment.get_content()
    assert isinstance(content, bytes)
    return content


@pytest.mark.usefixtures("worker")
async def test_copies_go_to_who_is_named_for_them(team: Team, mail_folder: Path) -> None:
    draft = await a_draft(team.sales)
    customer = f"/api/v1/customers/{draft['customer_id']}/contacts"
    address = f"{uuid4().hex}@brandt.example"
    copied = (await team.sales.post(customer, {"name": "Kim", "email": address})).json()["id"]
    signs = (await team.sales.post(customer, {"name": "Ida", "email": "ida@brandt.example"})).json()["id"]
    foreign = (await a_contact(team.sales, (await a_customer(team.sales))["id"]))["id"]
    path = f"/api/v1/quotes/{draft['id']}"
    named = [{"contact_id": copied, "role": "copy"}, {"contact_id": signs, "role": "signatory"}]

    edited = await team.sales.patch(path, {"participants": named})
    twice = await team.sales.patch(path, {"participants": [named[0], named[0]]})
    others = await team.sales.patch(path, {"participants": [{"contact_id": foreign, "role": "copy"}]})
    await team.sales.post(f"{path}/submit")
    await team.sales.post(f"{path}/send", {})

    assert [(one["name"], one["role"]) for one in edited.json()["participants"]] == [
        ("Kim", "copy"),
        ("Ida", "signatory"),
    ]
    assert (twice.status_code, others.status_code) == (422, 422)
    assert draft["number"] in await mail_to(mail_folder, address)
    messages = (await team.sales.get(f"{path}/timeline")).json()["messages"]
    assert sorted(message["recipient"] for message in messages) == sorted([address, "katrin@brandt.example"])
