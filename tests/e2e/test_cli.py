"""The command line on the same use cases: what it prints, and what scripts can trust."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID

import pytest
from python_calamine import CalamineWorkbook

from src.adapters.audit_heads import Ed25519HeadSigner, json_of_head
from src.adapters.embedded_postgres import EmbeddedPostgres
from src.adapters.security import KeyRing
from src.domain.audit.chain import ChainHead
from src.domain.shared.ids import OrganizationId
from tests.e2e.processes import ROOT, Installation, QuickInstallation, free_port, mother_of_commands

SALES, OWNER = "sales@nordlicht.example", "owner@nordlicht.example"
APPROVER = "approver@nordlicht.example"


@pytest.fixture(scope="module")
def mother() -> Iterator["subprocess.Popen[str]"]:
    with mother_of_commands() as mother:
        yield mother


@pytest.fixture(scope="module")
def demo(mother: "subprocess.Popen[str]") -> Iterator[Installation]:
    """An installation with the demonstration, whose server goes on between the commands."""
    folder = Path(mkdtemp(prefix="proffer-cli-"))
    folder.chmod(0o755)
    made = QuickInstallation(folder / "var", free_port(), mother)
    server = EmbeddedPostgres(folder / "var" / "postgres")
    server.start()
    result = made.run("demo")
    assert result.returncode == 0, result.stderr.decode()
    yield made
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bare(tmp_path: Path) -> Installation:
    """Nothing is set up: for what needs no database. Its commands start as people start them."""
    return Installation(tmp_path / "var", free_port())


@pytest.fixture
def quick(tmp_path: Path, mother: "subprocess.Popen[str]") -> Installation:
    """As ``bare``, for many commands."""
    return QuickInstallation(tmp_path / "var", free_port(), mother)


@pytest.mark.parametrize(
    ("example", "payable"),
    [
        ("office-fitout-eur.json", "22417.76"),
        ("sensor-kits-krw.json", "5069570"),
        ("retail-displays-gross-eur.json", "3669.39"),
    ],
)
def test_an_example_is_priced(example: str, payable: str, bare: Installation) -> None:
    as_table = bare.run("quote", "price", f"examples/{example}")
    as_json = bare.run("quote", "price", "-", "--json", stdin=(ROOT / "examples" / example).read_bytes())

    assert (as_table.returncode, as_json.returncode) == (0, 0)
    assert json.loads(as_json.stdout)["payable"] == payable
    assert payable in as_table.stdout.decode().splitlines()[-1]
    assert not bare.home.exists()


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"{", "Not JSON"),
        (b"[" * 200_000, "Nested"),
        (b'{"currency": "EUR", "lines": []}', "lines"),
        (b'{"currency": "EUR", "lines": [{"quantity": "NaN", "unit_price": "1"}]}', "lines[0].quantity"),
        (b'{"currency": "EUR", "lines": [{"quantity": 1.5, "unit_price": "1"}]}', "lines[0].quantity"),
        (b'{"currency": "EUR", "lines": [{"quantity": "1", "unit_price": "1", "colour": 1}]}', "lines[0].colour"),
        (b'{"currency": "XXX", "lines": [{"quantity": "1", "unit_price": "1"}]}', "currency"),
        (
            b'{"currency": "EUR", "lines": [{"quantity": "1", "unit_price": "1", "discounts": [{"percent": "101"}]}]}',
            "lines[0].discounts[0].percent",
        ),
    ],
)
def test_a_file_that_cannot_be_priced_ends_with_3(document: bytes, complaint: str, quick: Installation) -> None:
    result = quick.run("quote", "price", "-", stdin=document)

    assert result.returncode == 3
    assert complaint in result.stderr.decode()
    assert result.stdout == b""
    assert b"Traceback" not in result.stderr


def test_a_missing_file_ends_with_3_and_a_wrong_word_with_2(bare: Installation) -> None:
    missing = bare.run("quote", "price", "nowhere.json")
    wrong = bare.run("quote", "prize", "nowhere.json")
    option = bare.run("quote", "price", "-", "--yaml")

    assert (missing.returncode, wrong.returncode, option.returncode) == (3, 2, 2)
    assert b"nowhere.json cannot be read" in missing.stderr


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("up",),
        ("serve",),
        ("worker",),
        ("migrate",),
        ("demo",),
        ("quote",),
        ("quote", "price"),
        ("quote", "list"),
        ("quote", "export"),
        ("export",),
        ("export", "quotes"),
        ("export", "lines"),
        ("export", "summary"),
        ("export", "customers"),
        ("export", "products"),
        ("catalog",),
        ("catalog", "import"),
        ("catalog", "price"),
        ("catalog", "search"),
        ("catalog", "add-price-list"),
        ("catalog", "add-tax-rate"),
        ("audit",),
        ("audit", "list"),
        ("audit", "verify"),
        ("approval",),
        ("approval", "list"),
        ("approval", "preview"),
        ("attachment",),
        ("attachment", "add"),
        ("job",),
        ("job", "list"),
        ("job", "retry"),
        ("audit", "export"),
        ("quote", "timeline"),
        ("quote", "diff"),
        ("audit", "retain"),
        ("audit", "sign"),
        ("audit", "keys"),
    ],
)
def test_help_teaches(command: tuple[str, ...], quick: Installation) -> None:
    result = quick.run(*command, "--help")

    assert result.returncode == 0
    assert len(result.stdout.splitlines()) > 3
    assert not any(noise in result.stdout for noise in (b"[default: None]", b"[default: False]", b"--empty-"))


def test_pricing_loads_neither_web_nor_database() -> None:
    program = (
        "import sys; from src.entrypoints.cli.app import app; "
        "print([name for name in ('litestar', 'sqlalchemy', 'asyncpg', 'typst', 'dishka') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"


def test_only_what_was_sent_is_mailed_again(demo: Installation) -> None:
    [draft, *_] = json.loads(demo.run("quote", "list", "--as", SALES, "--status", "draft", "--json").stdout)
    shown = demo.run("quote", "deliveries", draft["number"], "--as", SALES)
    told = demo.run("quote", "deliveries", draft["number"], "--as", SALES, "--json")
    refused = demo.run("quote", "resend", draft["number"], "--as", SALES, "--note", "Once more.")
    nowhere = demo.run("quote", "list", "--as", SALES, "--delivery-failed", "--json")

    assert b"Attempt" in shown.stdout
    assert json.loads(told.stdout) == json.loads(nowhere.stdout) == []
    assert refused.returncode == 1
    assert "«resend»" in refused.stderr.decode()


def test_own_words_for_mails_are_tried_kept_and_reset(demo: Installation, tmp_path: Path) -> None:
    text, wrong = tmp_path / "angebot.txt", tmp_path / "wrong.txt"
    text.write_text("Sehr geehrte/r {{ contact }},\nanbei unser Angebot über {{ payable }}.\n", encoding="utf-8")
    wrong.write_text("a\n{{ gone }}\n", encoding="utf-8")
    offer = ("offer", "de", "--as", OWNER)
    [quote, *_] = json.loads(demo.run("quote", "list", "--as", SALES, "--json").stdout)

    ours = json.loads(demo.run("mail", "show", *offer, "--json").stdout)
    for_people = demo.run("mail", "show", *offer).stdout.decode()
    no_words = demo.run("mail", "set", *offer)
    preview = demo.run("mail", "preview", *offer, "--text", str(text), "--quote", quote["number"])
    refused = demo.run("mail", "set", *offer, "--text", str(wrong))
    missing = demo.run("mail", "set", *offer, "--text", str(tmp_path / "missing.txt"))
    wrong.write_bytes(b"\xff")
    no_text = demo.run("mail", "preview", *offer, "--html", str(wrong))
    made = demo.run("mail", "set", *offer, "--text", str(text))
    changed = demo.run("mail", "set", *offer, "--subject", "Angebot {{ number }}")
    listed = demo.run("mail", "list", "--as", SALES)
    shown = json.loads(demo.run("mail", "preview", *offer, "--json").stdout)
    reset = demo.run("mail", "reset", *offer)
    nothing = demo.run("mail", "reset", *offer)

    assert "Hier ist unser Angebot {{ number }}" in ours["text"]
    assert "\n    vielen Dank für Ihre Anfrage. Hier ist unser Angebot {{ number }}" in for_people
    assert set(ours["values"]) <= set(for_people.split())
    assert (no_words.returncode, b"--text FILE" in no_words.stderr) == (2, True)
    assert quote["number"] in preview.stdout.decode()
    assert (refused.returncode, refused.stderr.decode()) == (3, "proffer: text: Line 2: «gone» is not known here.\n")
    named = f"proffer: {tmp_path / 'missing.txt'}: No such file or directory.\n"
    assert (missing.returncode, missing.stderr.decode()) == (3, named)
    assert (no_text.returncode, no_text.stderr) == (3, b"proffer: what was given to read is no UTF-8 text.\n")
    assert b"version 1" in made.stdout  # And none was made of no words.
    assert b"version 2" in changed.stdout
    assert "Angebot {{ number }}" in listed.stdout.decode()
    assert shown["subject"] == "Angebot Q-2026-000123"
    assert "anbei unser Angebot über 2.975,00" in shown["html"]
    assert (reset.returncode, nothing.returncode) == (0, 4)


def test_quotes_are_listed(demo: Installation) -> None:
    as_table = demo.run("quote", "list", "--as", SALES)
    as_json = demo.run("quote", "list", "--as", SALES, "--status", "draft", "--search", "한빛", "--json")

    assert as_table.returncode == 0, as_table.stderr.decode()
    assert "3 of 3 quotes." in as_table.stdout.decode()
    (found,) = json.loads(as_json.stdout)
    assert (found["payable"], found["currency"]) == ("5069570", "KRW")


def test_jobs_are_listed_shown_and_cancelled(demo: Installation) -> None:
    """Nothing works here beside the test, so that what is queued stays queued."""
    assert demo.run("user", "invite", "job@example.com", "Jo", "viewer", "--as", OWNER).returncode == 0
    listed = demo.run("job", "list", "--state", "queued", "--as", OWNER)
    (job, *_) = json.loads(demo.run("job", "list", "--as", OWNER, "--json").stdout)
    shown = json.loads(demo.run("job", "show", job["id"], "--as", SALES).stdout)
    retried = demo.run("job", "retry", job["id"], "--as", OWNER)
    forbidden = demo.run("job", "cancel", job["id"], "--as", SALES)
    cancelled = demo.run("job", "cancel", job["id"], "--as", OWNER)
    unknown = demo.run("job", "show", "00000000-0000-0000-0000-000000000000", "--as", OWNER)

    assert b"send_invitation" in listed.stdout
    assert shown == job
    assert (job["name"], job["state"], job["attempt"]) == ("send_invitation", "queued", 0)
    assert (retried.returncode, forbidden.returncode, cancelled.returncode, unknown.returncode) == (1, 1, 0, 4)
    assert b"cannot be retried" in retried.stderr
    assert cancelled.stdout == b"send_invitation is cancelled.\n"


def test_quotes_are_exported(demo: Installation, tmp_path: Path) -> None:
    xlsx = demo.run("quote", "export", str(tmp_path / "offers.xlsx"), "--as", SALES)
    text = demo.run("quote", "export", str(tmp_path / "offers.csv"), "--as", SALES, "--start-date", "2026-01-01")
    again = demo.run("quote", "export", str(tmp_path / "offers.csv"), "--as", SALES)
    forced = demo.run("quote", "export", str(tmp_path / "offers.csv"), "--as", SALES, "--force")
    empty = demo.run("quote", "export", str(tmp_path / "none.csv"), "--as", SALES, "--end-date", "2020-01-01")
    format_ = demo.run("quote", "export", str(tmp_path / "offers.pdf"), "--as", SALES)

    assert (xlsx.returncode, text.returncode, forced.returncode) == (0, 0, 0), xlsx.stderr.decode()
    assert b"3 quotes written" in xlsx.stdout
    assert CalamineWorkbook.from_path(tmp_path / "offers.xlsx").get_sheet_by_index(0).to_python()[0][0] == "Number"
    with (tmp_path / "offers.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 4
    assert (again.returncode, empty.returncode, format_.returncode) == (3, 4, 3)
    assert b"--force" in again.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["offers.csv", "offers.xlsx"]


def test_lines_customers_and_products_are_exported(demo: Installation, tmp_path: Path) -> None:
    for what in ("lines", "customers", "products"):
        file = tmp_path / f"{what}.jsonl"
        result = demo.run("export", what, str(file), "--as", SALES)
        nothing = demo.run("export", what, str(tmp_path / "none.csv"), "--as", SALES, "--end-date", "2020-01-01")

        assert result.returncode == 0, result.stderr.decode()
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
        assert f"{len(rows)} {what} written".encode() in result.stdout
        assert rows
        assert nothing.returncode == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["customers.jsonl", "lines.jsonl", "products.jsonl"]


def test_customers_and_people_are_named_by_name_e_mail_or_id(demo: Installation, tmp_path: Path) -> None:
    def exported(*conditions: str, what: str = "quotes") -> list[dict[str, str]]:
        file = tmp_path / "out.jsonl"
        result = demo.run("export", what, str(file), "--force", "--as", SALES, *conditions)
        assert result.returncode == 0, result.stderr.decode()
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    people = {one["email"]: one["id"] for one in json.loads(demo.run("user", "list", "--as", OWNER, "--json").stdout)}
    [brandt] = exported("--customer", "brandt")
    made = json.loads(demo.run("audit", "list", "--as", OWNER, "--action", "customer.created", "--json").stdout)
    customers = [json.loads(one["text"])["resource_id"] for one in made]
    assert [exported("--customer", one) for one in customers].count([brandt]) == 1
    assert len(exported("--owner", SALES)) == len(exported("--owner", people[SALES])) == 3
    by_name, by_id = (demo.run("audit", "list", "--as", OWNER, "--json", "--by", one) for one in (OWNER, people[OWNER]))
    assert by_name.returncode == 0, by_name.stderr.decode()
    assert {people[OWNER] in one["text"] for one in json.loads(by_name.stdout)} == {True}
    assert by_name.stdout == by_id.stdout
    export = ("export", "quotes", str(tmp_path / "none.csv"), "--as", SALES)
    for conditions, code, told in (
        (("--customer", "Nobody"), 4, "There is no customer 'Nobody'."),
        (("--customer", people[OWNER]), 4, "There is no such customer."),
        (("--customer", "e"), 3, "customer: Several are meant: "),
        (("--owner", "nobody@nordlicht.example"), 4, "There is no user nobody@nordlicht.example"),
    ):
        result = demo.run(*export, *conditions)
        assert (result.returncode, told in result.stderr.decode()) == (code, True), result.stderr.decode()
    assert not (tmp_path / "none.csv").exists()


def test_a_catalogue_is_brought_in_asked_and_kept_whole(demo: Installation, tmp_path: Path) -> None:
    """The tour of the README; then files that nobody may bring in."""

    def catalog(*arguments: str, user: str = OWNER) -> tuple[int, str]:
        result = demo.run("catalog", *arguments, "--as", user)
        assert b"Traceback" not in result.stderr
        return result.returncode, (result.stdout + result.stderr).decode()

    files = "examples/catalogue"
    assert catalog("add-tax-rate", "VAT-STANDARD", "19")[0] == 0
    assert catalog("import", "products", f"{files}/products.csv", "--dry-run") == (
        0,
        "200 would be added, 0 would be changed.\n",
    )
    assert catalog("import", "products", f"{files}/products.csv") == (0, "200 added, 0 changed.\n")
    assert catalog("import", "products", f"{files}/products.csv") == (0, "0 added, 0 changed.\n")
    code, told = catalog("import", "prices", f"{files}/prices.csv")
    assert code == 3
    assert "row 2, price_list: There is no price list 'Volume'" in told
    assert "Nothing was stored" in told
    assert catalog("add-price-list", "Volume")[0] == 0
    assert catalog("add-price-list", "Resellers", "--customer", "Brandt")[0] == 0
    assert catalog("import", "prices", f"{files}/prices.csv") == (0, "223 added, 0 changed.\n")
    assert catalog("import", "exchange-rates", f"{files}/exchange-rates.csv") == (0, "6 added, 0 changed.\n")

    assert "274.55 EUR, from tier «Volume», from 10 on." in catalog("price", "DESK-S-OAK", "--quantity", "25")[1]
    contract = catalog("price", "DESK-S-OAK", "--quantity", "25", "--customer", "Brandt", user=SALES)[1]
    assert "216.75 EUR, from contract «Resellers»" in contract
    assert "not «Volume»: less specific" in contract
    assert "of 40 products." in catalog("search", "walnut", user=SALES)[1]

    (tmp_path / "bad.csv").write_text("sku,name,list_price,tax_rate_percent\nA,=1+1,1,19\n", encoding="utf-8")
    (tmp_path / "none.xlsx").write_text("no workbook", encoding="utf-8")
    assert "row 2, name: '=1+1' is a formula" in catalog("import", "products", str(tmp_path / "bad.csv"))[1]
    for arguments, code in (
        (("import", "products", str(tmp_path / "none.xlsx")), 3),
        (("import", "products", str(tmp_path / "nowhere.csv")), 3),
        (("import", "wishes", str(tmp_path / "bad.csv")), 2),
        (("price", "NOTHING"), 4),
        (("price", "DESK-S-OAK", "--quantity", "many"), 3),
    ):
        assert catalog(*arguments)[0] == code, arguments
    assert catalog("import", "products", f"{files}/products.csv", user=SALES)[0] == 1


def test_the_audit_is_listed_and_verified(demo: Installation) -> None:
    listed = demo.run("audit", "list", "--as", OWNER, "--action", "quote.created", "--json")
    verified = demo.run("audit", "verify", "--as", OWNER)

    assert len(json.loads(listed.stdout)) == 3
    assert verified.returncode == 0
    assert b"intact" in verified.stdout


def test_heads_are_signed_kept_and_asked_for(demo: Installation, tmp_path: Path) -> None:
    signed = demo.run("audit", "sign", "--as", OWNER)
    heads, proven = tmp_path / "heads.jsonl", tmp_path / "proven.jsonl"
    heads.write_bytes(signed.stdout)
    head = json.loads(signed.stdout)
    [kept] = (demo.home / "audit-heads" / head["organization_id"]).glob(f"*-{head['sequence']}.json")
    arguments = ("audit", "verify", "--head", str(heads), "--checkpoint", str(proven))

    first, again = demo.run(*arguments), demo.run(*arguments)

    assert kept.read_bytes() == signed.stdout
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert b"goes through 1 signed head." in first.stdout
    assert b"intact: nothing new since entry" in again.stdout
    assert head["key_id"].encode() in demo.run("audit", "keys").stdout
    assert demo.run("audit", "verify", "--organization", "nowhere").returncode == 4
    forged = json.loads(proven.read_text())
    proven.write_text(json.dumps(forged | {"sequence": forged["sequence"] - 1}))
    told = demo.run(*arguments)
    assert b"not all signed here: that is proven from the start" in told.stderr
    assert (told.returncode, b"nothing new" in told.stdout) == (0, False)
    heads.write_text("no head")
    assert demo.run(*arguments).returncode == 3
    heads.write_text(json.dumps(head | {"sequence": head["sequence"] + 1}))
    assert demo.run(*arguments).returncode == 3


def test_retention_is_tried_first_and_keeps_what_is_young(demo: Installation, tmp_path: Path) -> None:
    retain = ("audit", "retain", "--archive", str(tmp_path))
    tried, done = demo.run(*retain, "--months", "12"), demo.run(*retain, "--months", "12", "--apply")

    assert (tried.returncode, done.returncode) == (0, 0), done.stderr
    assert b"no entry is from before" in tried.stdout
    assert b"a trial, and nothing was removed; with --apply it is." in tried.stdout
    assert b"0 months without any entries removed." in done.stdout
    assert [*tmp_path.iterdir()] == []
    for arguments, code in (
        ((*retain, "--months", "11"), 3),
        (retain, 1),  # For ever, unless something else is said.
        (("audit", "retain", "--months", "12"), 0),  # Only told: that needs no folder.
        (("audit", "retain", "--months", "12", "--apply"), 3),
        (("audit", "retain", "--months", "12", "--apply", "--archive", str(tmp_path / "nowhere")), 3),
        ((*retain, "--months", "12", "--organization", "nowhere"), 4),
        (("audit", "verify", "--as", OWNER, "--archive", str(tmp_path / "nowhere.jsonl")), 3),
    ):
        assert demo.run(*arguments).returncode == code, arguments
    assert demo.run("audit", "verify").returncode == 0


def test_the_life_of_a_quote_is_told(demo: Installation, tmp_path: Path) -> None:
    [quote, *_] = json.loads(demo.run("quote", "list", "--as", SALES, "--json").stdout)
    told = demo.run("quote", "timeline", quote["number"], "--as", SALES, "--changes")
    compared = demo.run("quote", "diff", quote["number"], "1", "1", "--as", SALES)
    exported = demo.run(
        "audit", "export", str(tmp_path / "a.jsonl"), "--as", OWNER, "--resource", f"quote:{quote['id']}"
    )

    assert b"quote.created" in told.stdout
    assert b"Revision 1: payable" in compared.stdout
    assert exported.returncode == 0, exported.stderr
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert {row["resource_id"] for row in rows} == {quote["id"]}
    assert demo.run("quote", "timeline", "Q-1900-000001", "--as", SALES).returncode == 4
    assert demo.run("quote", "diff", quote["number"], "1", "9", "--as", SALES).returncode == 4
    assert demo.run("audit", "list", "--as", OWNER, "--resource", "quote:x").returncode == 3


def test_a_chain_shorter_than_a_kept_head_is_broken(demo: Installation, tmp_path: Path) -> None:
    """As if the database had been put back to an earlier day: the head was signed with the installation's own key."""
    key = (demo.home / "secret-key").read_text().strip()
    signer = Ed25519HeadSigner([one.material for one in KeyRing([key]).keys("audit heads")])
    told = json.loads(demo.run("audit", "sign", "--as", OWNER).stdout)
    later = signer.sign(
        OrganizationId(UUID(told["organization_id"])), ChainHead(told["sequence"] + 50, "a" * 64), datetime.now(UTC)
    )
    (tmp_path / "later.jsonl").write_text(json_of_head(later))

    result = demo.run("audit", "verify", "--head", str(tmp_path / "later.jsonl"))

    assert result.returncode == 5
    assert b"shorter than the kept head" in result.stderr


def test_a_broken_chain_ends_with_5_and_names_the_entry(demo: Installation) -> None:
    """By the hand of a superuser, who alone can do it."""
    import asyncio

    import asyncpg

    address = EmbeddedPostgres(demo.home / "postgres").start()

    async def tamper(change: str, back: str) -> bytes:
        connection = await asyncpg.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            database="proffer",
        )
        await connection.execute("ALTER TABLE proffer.audit_entries DISABLE TRIGGER append_only")
        await connection.execute(change)
        result = await asyncio.to_thread(demo.run, "audit", "verify", "--as", OWNER)
        await connection.execute(back)
        await connection.execute("ALTER TABLE proffer.audit_entries ENABLE ALWAYS TRIGGER append_only")
        await connection.close()
        assert result.returncode == 5
        return result.stderr

    shown = asyncio.run(
        tamper(
            "UPDATE proffer.audit_entries SET action = action || 'x' WHERE sequence = 5",
            "UPDATE proffer.audit_entries SET action = rtrim(action, 'x') WHERE sequence = 5",
        )
    )
    assert b"Entry 5 is shown with fields that are not what was written" in shown
    told = asyncio.run(
        tamper(
            "UPDATE proffer.audit_entries SET text = replace(text, 'demo', 'Demo') || ' ' WHERE sequence = 7",
            "UPDATE proffer.audit_entries SET text = rtrim(text) WHERE sequence = 7",
        )
    )

    assert b"Entry 7 is not what was written" in told


def test_whoever_may_not_is_refused_with_1(demo: Installation) -> None:
    denied = demo.run("audit", "list", "--as", SALES)
    unknown = demo.run("quote", "list", "--as", "nobody@nordlicht.example")
    unnamed = demo.run("quote", "list")
    no_email = demo.run("quote", "list", "--as", "nobody")
    elsewhere = demo.run("quote", "list", "--as", SALES, "--organization", "fjord-2")
    no_subject = demo.run("approval", "list", "--as", APPROVER, "--subject", "wishes")

    assert denied.returncode == 1
    assert b"audit.view" in denied.stderr
    assert unknown.returncode == 4
    assert unnamed.returncode == 2
    assert b"--as" in unnamed.stderr
    assert (no_email.returncode, b"proffer: --as: " in no_email.stderr) == (3, True)
    assert (elsewhere.returncode, b"in the organisation fjord-2" in elsewhere.stderr) == (4, True)
    assert (no_subject.returncode, b"known are" in no_subject.stderr) == (3, True)


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("PROFFER_MAIL_RETURN_PATH", "bounces", "PROFFER_MAIL_RETURN_PATH is 'bounces'; it must be one address"),
        ("PROFFER_SECRET_KEY", "another key, which is long enough for that", "The database refuses: password auth"),
    ],
)
def test_what_is_wrong_with_the_installation_is_told_in_a_line(
    demo: Installation, setting: str, value: str, told: str
) -> None:
    result = demo.run("quote", "list", "--as", SALES, settings={setting: value})

    assert (result.returncode, result.stdout) == (1, b"")
    [line] = result.stderr.decode().splitlines()
    assert line.startswith(f"proffer: {told}")


def test_people_are_invited_given_roles_and_locked_out(demo: Installation) -> None:
    viewer = "viewer@nordlicht.example"
    invited = demo.run("user", "invite", "ann@example.com", "Ann Lee", "sales", "--as", OWNER)
    changed = demo.run("user", "set-role", viewer, "approver", "--as", OWNER)
    gone = demo.run("user", "deactivate", viewer, "--as", OWNER)
    locked_out = demo.run("quote", "list", "--as", viewer)
    back = demo.run("user", "reactivate", viewer, "--as", OWNER)
    listed = {one["email"]: one for one in json.loads(demo.run("user", "list", "--as", OWNER, "--json").stdout)}
    own = demo.run("user", "deactivate", OWNER, "--as", OWNER)

    assert [one.returncode for one in (invited, changed, gone, back)] == [0, 0, 0, 0]
    assert (listed["ann@example.com"]["status"], listed[viewer]["role"]) == ("invited", "approver")
    assert locked_out.returncode != 0
    assert own.returncode == 1
    assert b"your own role" in own.stderr


def test_organisations_are_made_suspended_and_restored(demo: Installation) -> None:
    made = demo.run(
        *("organization", "create", "fjord", "Fjord AS", "--owner-email", "ida@fjord.example", "--owner-name", "Ida"),
        settings={"PROFFER_OWNER_PASSWORD": "a quite good one"},
    )
    suspended = demo.run("organization", "suspend", "fjord", "Unpaid")
    inside = demo.run("user", "list", "--as", "ida@fjord.example")
    restored = demo.run("organization", "restore", "fjord")
    domains = demo.run("organization", "verify-domains", "fjord", "Fjord.example")
    listed = json.loads(demo.run("organization", "list", "--json").stdout)
    unknown = demo.run("organization", "restore", "nowhere")
    key = demo.run("operator", "add-key", "olga")
    ended = demo.run("operator", "revoke", "olga")
    none = demo.run("operator", "revoke", "olga")

    assert [one.returncode for one in (made, suspended, restored, domains, key, ended, none)] == [0, 0, 0, 0, 0, 0, 4]
    assert inside.returncode != 0
    assert domains.stdout.decode() == "fjord: fjord.example.\n"
    assert {one["slug"]: one["status"] for one in listed} == {"nordlicht": "active", "fjord": "active"}
    assert unknown.returncode == 4
    assert key.stdout.startswith(b"pfo_")


def test_an_approval_is_previewed_listed_shown_and_decided(demo: Installation) -> None:
    preview = demo.run("approval", "preview", "Q-2026-000001", "--as", SALES)
    listed = demo.run("approval", "list", "--as", APPROVER)
    first = listed.stdout.decode().splitlines()[1].split()[0]
    shown = demo.run("approval", "show", first, "--as", APPROVER)
    unknown = demo.run("approval", "show", "00000000-0000-0000-0000-000000000000", "--as", APPROVER)
    nobody = demo.run("approval", "preview", "Q-1999-000001", "--as", SALES)

    told = preview.stdout.decode()
    assert "Large or generous offers" in told
    assert "discount_percent > 5: yes" in told
    assert told.endswith("Somebody would be asked.\n")
    assert b"3 of 3 approvals." in listed.stdout
    assert "Astrid Holm approved «" in shown.stdout.decode()
    assert (listed.returncode, unknown.returncode, nobody.returncode) == (0, 4, 4)


def test_files_are_added_listed_fetched_and_removed(demo: Installation, tmp_path: Path) -> None:
    number = json.loads(demo.run("quote", "list", "--as", SALES, "--json").stdout)[0]["number"]
    about, content = ("--quote", number, "--as", SALES), b"%PDF-1.7\n" + bytes(2_000_000)
    (tmp_path / "drawing.pdf").write_bytes(content)
    (tmp_path / "false.pdf").write_bytes(b"MZ")

    added = demo.run("attachment", "add", str(tmp_path / "drawing.pdf"), *about)
    refused = demo.run("attachment", "add", str(tmp_path / "false.pdf"), *about)
    missing = demo.run("attachment", "add", str(tmp_path / "missing.pdf"), *about)
    of_nothing = demo.run("attachment", "list", "--as", SALES)
    told = json.loads(demo.run("attachment", "list", *about, "--json").stdout)
    table = demo.run("attachment", "list", *about)

    assert added.returncode == 0, added.stderr.decode()
    assert added.stderr == b""  # No bar where nobody looks.
    assert (refused.returncode, missing.returncode, of_nothing.returncode) == (3, 3, 3)
    [one] = told
    assert (one["file_name"], one["content_type"], one["size"]) == ("drawing.pdf", "application/pdf", len(content))
    assert one["id"] in added.stdout.decode()
    assert "drawing.pdf" in table.stdout.decode()
    target = tmp_path / "down.pdf"
    fetched = demo.run("attachment", "get", one["id"], str(target), "--as", SALES)
    over = demo.run("attachment", "get", one["id"], str(target), "--as", SALES)
    assert (fetched.returncode, over.returncode) == (0, 3), fetched.stderr.decode()
    assert target.read_bytes() == content
    assert demo.run("attachment", "remove", one["id"], "--as", SALES).returncode == 0
    assert demo.run("attachment", "get", one["id"], str(target), "--as", OWNER, "--force").returncode == 4
    assert target.read_bytes() == content
