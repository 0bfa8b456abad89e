"""``proffer quote price``, run as people run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, output, errors."""
    done = subprocess.run(
        [sys.executable, "-m", "src.entrypoints.cli", "quote", "price", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def a_request(**line: object) -> bytes:
    return json.dumps(
        {"currency": "EUR", "lines": [{"quantity": "1", "unit_price": "10.00", **line}]}, ensure_ascii=False
    ).encode()


def test_an_example_is_shown_with_its_lines_and_totals() -> None:
    code, output, errors = run(str(EXAMPLES / "sensor-kits-krw.json"))

    rows = [line.split() for line in output.splitlines()]
    assert (code, errors) == (0, "")
    assert ["3", "CAL-CERT", "교정", "성적서", "24", "C62", "15333", "10", "%", "367992"] in rows
    assert ["Charge", "배송비", "35000", "KRW"] in rows
    assert ["VAT", "10", "%", "of", "4608700", "460870", "KRW"] in rows
    assert rows[-1] == ["Payable", "5069570", "KRW"]


def test_json_comes_out_as_json_also_from_standard_input() -> None:
    code, output, _ = run("-", "--json", stdin=(EXAMPLES / "retail-displays-gross-eur.json").read_bytes())

    told = json.loads(output)
    assert code == 0
    assert (told["payable"], told["currency"], told["taxes"][0]["base"]) == ("3669.39", "EUR", "2744.23")


def test_negative_and_small_amounts_are_shown_in_full() -> None:
    code, output, _ = run("-", stdin=a_request(quantity="-3", unit_price="0.015"))

    assert code == 0
    assert output.splitlines()[-1].split() == ["Payable", "-0.05", "EUR"]


def test_others_texts_are_shown_as_they_are() -> None:
    code, output, _ = run("-", stdin=a_request(unit="[/b]", description="[red]\x1b[2Jx".replace("\x1b", "\u009b")))

    assert code == 0
    assert "[/b]" in output
    assert "[red]\\u009b[2Jx" in output


@pytest.mark.parametrize(
    ("data", "complaints"),
    [
        (a_request(quantity="x"), ["proffer: lines[0].quantity: "]),
        (a_request(price_base_quantity="0", discounts=[{}]), ["lines[0].price_base_quantity", "lines[0].discounts[0]"]),
        (b"{", ["proffer: Not JSON at line 1"]),
        (a_request(discounts=[{"percent": "101"}]), ["lines[0].discounts[0].percent: Must be from 0 to 100."]),
    ],
)
def test_each_wrong_field_is_one_sentence_and_the_code_is_3(data: bytes, complaints: list[str]) -> None:
    code, output, errors = run("-", stdin=data)

    assert (code, output) == (3, "")
    assert len(errors.splitlines()) == len(complaints)
    assert all(complaint in line for complaint, line in zip(complaints, errors.splitlines(), strict=True))


def test_a_missing_file_is_told_with_code_3(tmp_path: Path) -> None:
    code, _, errors = run(str(tmp_path / "none.json"))

    assert code == 3
    assert "none.json cannot be read: No such file or directory." in errors


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert run(str(tmp_path))[0] == 3


def test_wrong_usage_is_code_2() -> None:
    assert run()[0] == 2
    assert run("--colour")[0] == 2
    assert run("-", "--colour")[0] == 2


def test_pricing_a_file_loads_neither_the_web_nor_the_database() -> None:
    program = (
        "import sys; from src.entrypoints.cli.app import app; "
        "app(['quote', 'price', 'examples/sensor-kits-krw.json', '--json'], result_action='return_value'); "
        "print(sorted({'litestar', 'sqlalchemy', 'asyncpg', 'dishka', 'granian'} & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True)

    assert done.stderr.decode().strip() == "[]"


def test_the_way_from_price_to_payable_is_shown() -> None:
    code, shown, _ = run(str(EXAMPLES / "office-fitout-eur.json"), "--explain")
    assert code == 0
    for words in (
        "Gross                                         18 × 412.5",
        "Discount «Display models»",
        "Share of discount «Framework agreement 2026»  6978.75 of 18607.90",
        "19 % of 18244.67",
        "Charge «Freight»",
    ):
        assert words in shown, words
    assert shown.rstrip().endswith("22417.76")


def test_one_line_is_explained_alone_and_only_one_that_is_there() -> None:
    code, shown, _ = run(str(EXAMPLES / "office-fitout-eur.json"), "--explain", "--line", "3")
    assert (code, shown.splitlines()[0][:12]) == (0, "3  Power cab")
    assert "260 × 84.35 ÷ 100" in shown
    assert "Payable" not in shown
    code, _, complaint = run(str(EXAMPLES / "office-fitout-eur.json"), "--line", "9")
    assert (code, complaint.strip()) == (2, "proffer: There are lines 1 to 5.")


def test_the_explanation_is_data_too() -> None:
    _, shown, _ = run(str(EXAMPLES / "machine-options-chf.json"), "--json", "--explain")
    told = json.loads(shown)
    assert told["balance"] == "41113.41"
    assert [line["counts"] for line in told["explanation"]["lines"]] == [True, True, True, False, True]
    assert told["explanation"]["totals"][-1]["kind"] == "cost"


def test_options_sections_and_payment_are_shown() -> None:
    _, shown, _ = run(str(EXAMPLES / "machine-options-chf.json"))
    for words in (
        "(option, not counted)",
        "(option, chosen)",
        "Machine",
        "Deposit",
        "On delivery",
        "Margin (29.7548 %)",
    ):
        assert words in shown, words
