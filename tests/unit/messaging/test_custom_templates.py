"""Templates that an organisation writes: what they can say, and that they can do nothing else."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.adapters.smtp import JinjaMailTemplates, restricted
from src.adapters.smtp.markup import cleaned, refusals
from src.adapters.smtp.restricted import (
    DEEPEST,
    FILTERS,
    LONGEST_RENDERED,
    LONGEST_VALUE,
    MOST_FILTERS,
    MOST_NODES,
    MOST_REPEATS,
    MOST_STEPS,
    STEPS_OF_FILTERS,
    Refusal,
    check,
    render,
)
from src.application.ports.mail import TemplateFailed
from src.domain.messaging.template import (
    LONGEST_HTML_TEMPLATE,
    LONGEST_SUBJECT_TEMPLATE,
    LONGEST_TEXT_TEMPLATE,
    TEMPLATE_VALUES,
    TemplateKind,
    TemplateTexts,
)
from src.domain.shared.errors import Invalid
from tests.builders.documents import a_quote_document

TEMPLATES = JinjaMailTemplates("http://proffer.test/account", "http://proffer.test/approvals")
OFFER = TemplateKind.OFFER
ALL = "".join(f"{{{{ {name} }}}}" for name in TEMPLATE_VALUES[OFFER] if "." not in name and name != "lines")


def some_texts(**changes: Any) -> TemplateTexts:
    return replace(TemplateTexts(subject="Offer {{ number }}", text="Hello {{ contact }},", html=""), **changes)


def faults(**changes: Any) -> list[tuple[str, str]]:
    return [(fault.field, fault.message) for fault in TEMPLATES.faults(OFFER, some_texts(**changes))]


@pytest.mark.parametrize("language", ["en", "de", "ko", "fr"])
@pytest.mark.parametrize("sparse", [False, True])
def test_the_built_in_words_are_a_template_that_says_the_same(language: str, sparse: bool) -> None:
    more = {"title": "", "contact_name": "", "salesperson": ""} if sparse else {}
    document, note = a_quote_document(locale=language, **more), "" if sparse else "As <discussed>."
    texts = TEMPLATES.built_in(OFFER, language)

    ours, theirs = TEMPLATES.quote_sent(document, note), TEMPLATES.quote_sent(document, note, texts)

    assert list(TEMPLATES.faults(OFFER, texts)) == []
    assert (theirs.subject, theirs.text) == (ours.subject, ours.text)
    assert _words(theirs.html) == _words(ours.html)


def _words(html: str) -> list[str]:
    return re.sub(r"<[^>]*>", " ", html.replace("&nbsp;", "\N{NO-BREAK SPACE}")).split()


def test_it_names_values_and_goes_through_lines() -> None:
    lines = "{% for line in lines %}{{ loop.index }}. {{ line.description }}: {{ line.amount }}\n{% endfor %}"
    texts = some_texts(
        text=f"{{% if note %}}{{{{ note|upper }}}}{{% else %}}-{{% endif %}}\n\n{lines}{{{{ title|default('x') }}}}"
    )

    composed = TEMPLATES.quote_sent(a_quote_document(), "Please look.", texts)

    document = a_quote_document()
    assert composed.subject == "Offer Q-2026-000123"
    assert composed.text.startswith(f"PLEASE LOOK.\n1. {document.lines[0].description}: EUR")
    assert composed.text.endswith(document.title)
    assert faults(text=ALL + lines + "{{ lines|length }} {{ more_lines }}") == []


def test_without_html_it_is_made_of_the_text() -> None:
    html = TEMPLATES.quote_sent(a_quote_document(), "<b>bold</b>", some_texts(text="A & {{ note }}\nB")).html

    assert "A &amp; &lt;b&gt;bold&lt;/b&gt;\nB" in html
    assert html.startswith("<!doctype html>")


@pytest.mark.parametrize("field", ["subject", "text", "html"])
@pytest.mark.parametrize(
    ("hostile", "reason"),
    [
        ("{{ ''.__class__.__mro__ }}", "is not known here"),
        ("{{ number.__class__ }}", "is not known here"),
        ("{{ number|attr('__class__') }}", "filter «attr» is not known"),
        ("{{ self._TemplateReference__context }}", "is not known here"),
        ("{{ cycler.__init__.__globals__.os.popen('id').read() }}", "Calls are not known"),
        ("{{ lipsum(n=10**9) }}", "Calls are not known"),
        ("{% for i in range(10**9) %}x{% endfor %}", "a list alone"),
        ("{% for a in lines %}{% for b in lines %}x{% endfor %}{% endfor %}", "Loops within loops"),
        ("{% for a in lines recursive %}x{% endfor %}", "Loops within loops"),
        ("{% for a in lines if a.sku %}x{% endfor %}", "Write it as"),
        ("{% for number in lines %}x{% endfor %}", "Write it as"),
        ("{% for line in lines %}{{ line.items }}{% endfor %}", "is not known here"),
        ("{% for line in lines %}{{ loop.__init__ }}{% endfor %}", "is not known here"),
        ("{{ 'a' * 10**9 }}", "Nothing is calculated"),
        ("{{ 10 ** 10 ** 10 }}", "Nothing is calculated"),
        ("{{ '%1000000000d' % 1 }}", "Nothing is calculated"),
        ("{{ note ~ note }}", "Texts are not joined"),
        ("{{ note|center(1000000000) }}", "filter «center» is not known"),
        ("{{ note|replace('', note) }}", "filter «replace» is not known"),
        ("{{ note|trim(note) }}", "Write the filter"),
        ("{{ note|safe }}", "filter «safe» is not known"),
        ("{% set x = note %}", "Names cannot be set"),
        ("{% set x %}a{% endset %}", "is not known here"),
        ("{% macro x() %}{% endmacro %}", "Macros are not known"),
        ("{% include 'quote_sent.txt.j2' %}", "cannot be included"),
        ("{% import 'frame.html.j2' as x %}", "cannot be imported"),
        ("{% from 'x' import y %}", "cannot be imported"),
        ("{% extends 'frame.html.j2' %}", "cannot be extended"),
        ("{% autoescape false %}{{ note }}{% endautoescape %}", "is not known here"),
        ("{% filter upper %}x{% endfilter %}", "is not known here"),
        ("{% block x %}{% endblock %}", "is not known here"),
        ("{% raw %}{{ x }}{% endraw %}{{ lines }}", "go through it"),
        ("{{ lines[0] }}", "no parts"),
        ("{{ [note] }}", "is not known here"),
        ("{{ config }}", "«config» is not known here"),
        ("{% if note %}" * 21 + "{% endif %}" * 21, "nested too deeply"),
        ("{{ x", ""),
        ("{% if %}", "Expected an expression"),
        ("{% nonsense %}", "unknown tag"),
    ],
)
def test_what_is_not_on_the_list_is_refused_and_its_line_is_told(field: str, hostile: str, reason: str) -> None:
    before = "" if field == "subject" else "a\nb\n"

    ((found, message),) = faults(**{field: before + hostile})[:1]

    assert found == field
    assert message.startswith("Line 1: " if field == "subject" else "Line 3: ")
    assert reason in message


@pytest.mark.parametrize("hostile", ["{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "{{ " + "9" * 10_000 + " }}"])
def test_what_breaks_the_parser_is_a_fault_like_any_other(hostile: str) -> None:
    assert faults(text=hostile) == [("text", "Line 1: It is nested too deeply, or a number in it is too long.")]


def test_a_template_has_only_so_many_parts() -> None:
    most = "{{number}}" * MOST_NODES

    assert faults(text=most) == [("text", "Line 1: The template is nested too deeply, or has too many parts.")]
    assert faults(text=most[: len(most) // 2]) == []


TOO_MUCH = f"There is too much to do: {MOST_REPEATS} times all that is in a loop."


@pytest.mark.parametrize(
    ("piece", "most"),
    [
        ("{% if line.sku|upper %}{% endif %}", MOST_STEPS // MOST_REPEATS // (STEPS_OF_FILTERS + 2)),
        ("{% if line.sku == line.sku %}{% endif %}", MOST_STEPS // MOST_REPEATS // (STEPS_OF_FILTERS + 3)),
        ("{% if 1 < 2 < 3 %}{% endif %}", MOST_STEPS // MOST_REPEATS // (2 * STEPS_OF_FILTERS + 4)),
        ("{% if line.sku %}{% endif %}", (MOST_STEPS // MOST_REPEATS - 2) // 2),  # Going on is a step, too.
    ],
)
def test_loops_have_only_so_much_to_do(piece: str, most: int) -> None:
    def looped(times: int) -> str:
        return f"x{{% for line in lines %}}{piece * times}{{% endfor %}}"

    assert faults(text=looped(most)) == []
    assert faults(text=looped(most + 1)) == [("text", f"Line 1: {TOO_MUCH}")]
    with pytest.raises(TemplateFailed):  # One of a time when more was taken.
        TEMPLATES.quote_sent(a_quote_document(), "", some_texts(text=looped(most + 1)))


def test_empty_loops_are_work_too() -> None:
    assert faults(text="x" + "{% for line in lines %}{% endfor %}" * 300) == [("text", f"Line 1: {TOO_MUCH}")]


@pytest.mark.parametrize(
    "value",
    ["note|upper|lower|trim", "(title if note|length else title|upper)|upper", "note|default(title|upper)|trim"],
)
def test_a_value_goes_through_two_filters_at_most(value: str) -> None:
    assert faults(text=f"x{{{{ {value} }}}}") == [
        ("text", f"Line 1: A value goes through {MOST_FILTERS} filters at most.")
    ]
    assert faults(text="x{{ note|upper|trim }}{{ title|default(note|trim) }}") == []


def test_of_long_values_there_is_only_the_beginning() -> None:
    long = "a" * LONGEST_VALUE
    source = "{{ note|upper }}{% for line in lines %}{{ line.sku }}{% endfor %}"

    assert (
        render(source, {"note": long, "lines": [{"sku": "x"}]}, TEMPLATE_VALUES[OFFER], html=False)
        == f"{long.upper()}x"
    )
    cut = render(source, {"note": long + "b", "lines": [{"sku": long + "b"}]}, TEMPLATE_VALUES[OFFER], html=False)
    assert cut == f"{long[1:].upper()}…{long[1:]}…"
    assert faults(text=f"x{{{{ '{long}'|upper }}}}") == []
    assert faults(text=f"x{{{{ '{long}a'|upper }}}}") == [
        ("text", f"Line 1: A text in quotation marks has at most {LONGEST_VALUE} characters.")
    ]


def test_lists_are_repeated_so_often_and_no_more() -> None:
    values = {"lines": [{"sku": "x"}] * (MOST_REPEATS + 1)}

    assert (
        render("{% for l in lines %}{{ l.sku }}{% endfor %}", values, TEMPLATE_VALUES[OFFER], html=False) == "x" * 100
    )


OPERANDS = st.sampled_from(["line.description", "note", "line.sku", "'ß'"])
FILTERED = st.builds(
    "|".join, st.tuples(OPERANDS, *[st.sampled_from([one for one in FILTERS if one != "length"])] * MOST_FILTERS)
)
CONDITIONS = st.builds(" ".join, st.tuples(FILTERED, st.sampled_from(["==", "in", "and", "or"]), FILTERED))
BODIES = st.lists(st.builds("{{% if {} %}}{{% endif %}}".format, CONDITIONS | FILTERED), max_size=8).map("".join)


@given(st.lists(BODIES, max_size=12), st.booleans())
def test_whatever_is_taken_filters_no_more_than_its_steps_and_nothing_long(bodies: list[str], html: bool) -> None:
    source = "".join(f"{{% for line in lines %}}{body}{{% endfor %}}" for body in bodies)
    try:
        check(source, TEMPLATE_VALUES[OFFER])
    except Refusal as refused:
        assert TOO_MUCH in str(refused) or "parts" in str(refused)  # noqa: PT017 — either is fine, and nothing else.
        return
    sizes: list[int] = []
    environment = restricted._HTML if html else restricted._TEXT
    with pytest.MonkeyPatch.context() as patch:
        for name, filtered in list(environment.filters.items()):
            patch.setitem(environment.filters, name, _counting(filtered, sizes))
        line = dict.fromkeys(("sku", "description"), "ß" * 3 * LONGEST_VALUE)
        render(source, {"note": "ΐ" * 9_000, "lines": [line] * 300}, TEMPLATE_VALUES[OFFER], html=html)

    assert len(sizes) * STEPS_OF_FILTERS <= MOST_STEPS
    assert max(sizes, default=0) <= 3 * LONGEST_VALUE  # No letter has more than three capitals.


def _counting(filtered: Callable[..., Any], sizes: list[int]) -> Callable[..., Any]:
    def counted(value: Any, *more: Any) -> Any:
        sizes.append(len(str(value)))
        return filtered(value, *more)

    return counted


def test_what_gets_too_long_is_told_when_it_is_saved() -> None:
    long = "x" * (LONGEST_RENDERED // 100) + "y"

    assert faults(text=f"{{% for line in lines %}}{long}{{% endfor %}}x") == [
        ("text", f"It would be longer than {LONGEST_RENDERED} characters.")
    ]
    assert faults(text=f"{{% for line in lines %}}{long[:-2]}{{% endfor %}}x") == []


def test_what_would_be_empty_for_some_offer_is_told_when_it_is_saved() -> None:
    assert faults(text="{{ note }}") == [("text", "Nothing would be left of its subject or its text.")]
    assert faults(subject="{{ title }}") == [("text", "Nothing would be left of its subject or its text.")]


def test_the_forms_of_texts_are_checked() -> None:
    for texts, field in (
        (some_texts(subject="a\r\nBcc: x@evil.example"), "subject"),
        (some_texts(subject="a\u2028b"), "subject"),
        (some_texts(subject="x" * (LONGEST_SUBJECT_TEMPLATE + 1)), "subject"),
        (some_texts(subject=""), "subject"),
        (some_texts(text=" "), "text"),
        (some_texts(text="\0"), "text"),
        (some_texts(text="x" * (LONGEST_TEXT_TEMPLATE + 1)), "text"),
        (some_texts(html="x" * (LONGEST_HTML_TEMPLATE + 1)), "html"),
    ):
        with pytest.raises(Invalid) as refused:
            texts.check()
        assert {one.field for one in refused.value.fields} == {field}


@pytest.mark.parametrize("name", ["note", "title", "contact", "salesperson", "number"])
@pytest.mark.parametrize(
    "hostile", ["{{ 7*7 }}", "{% include 'x' %}", "<img src=x onerror=y>", "a\r\nBcc: x@evil.example", "&amp;"]
)
def test_values_are_data(name: str, hostile: str) -> None:
    document = a_quote_document(title=hostile, contact_name=hostile, salesperson=hostile, number=hostile)
    texts = some_texts(subject=f"S {{{{ {name} }}}}", text=f"T {{{{ {name} }}}}", html=f"<p>H {{{{ {name} }}}}</p>")

    composed = TEMPLATES.quote_sent(document, hostile, texts)

    assert composed.text == f"T {hostile}"
    assert composed.subject == f"S {' '.join(hostile.split())}"
    assert "<img" not in composed.html
    assert "49" not in composed.text + composed.html


@pytest.mark.parametrize(
    ("html", "line", "reason"),
    [
        ("\n<script>alert(1)</script>", 2, "<script> is not allowed"),
        ("<style>p{}</style>", 1, "<style> is not allowed"),
        ("<iframe src='https://x.example'></iframe>", 1, "<iframe> is not allowed"),
        ("<html><body>x</body></html>", 1, "<html> is not allowed"),
        ("<p\n onclick='x()'>a</p>", 1, "«onclick» is not allowed in <p>"),
        ("<img onerror=alert(1) src=x>", 1, "«onerror» is not allowed in <img>"),
        ("{% if title\n %}a{% endif %}\n\n<a href='javascript:alert(1)'>x</a>", 4, "not with «javascript»"),
        ("<a href=' java\tscript:alert(1)'>x</a>", 1, "not with «javascript»"),
        ("<a href='&#106;avascript:alert(1)'>x</a>", 1, "not with «javascript»"),
        ("<img src='data:image/svg+xml,x'>", 1, "not with «data»"),
        ("<svg onload=x>", 1, "<svg> is not allowed"),
        ("<form action='https://x.example'><input></form>", 1, "<form> is not allowed"),
        ("x\n<p style='color:red;position:fixed'>x</p>", 2, "The style «position» is not allowed here"),
        ("<p style='background-image:url(https://x.example)'>x</p>", 1, "«background-image» is not allowed"),
        ("<p style='background-color:url(https://x.example)'>x</p>", 1, "not with «url(https://x.example)»"),
        ("<p style='COLOR:red'>x</p>", 1, "not with «COLOR:red»"),
        ("<p style='{{ title }}:red'>x</p>", 1, "The style «x» is not allowed here"),
        ("<p style='{{ title }}'>x</p>", 1, "Write styles as «color: red; padding: 4px», not with «x»"),
        ("<p style='color:red\\;position:fixed'>x</p>", 1, "not with «red\\»"),
        ("<p style='font-family:\"a;b'>x</p>", 1, "Write styles as"),
        ("<p style>x</p>\n<a href='{{ title }}'>x</a>", 2, "a value cannot stand in their place"),
        ("<a href>x</a>", 1, "Addresses begin with https, http, mailto or tel"),
        ("<a href='//x.example'>x</a>", 1, "Addresses begin with https, http, mailto or tel"),
    ],
)
def test_html_that_would_run_frame_or_ask_is_refused(html: str, line: int, reason: str) -> None:
    field, message = faults(html=html)[0]

    assert field == "html"
    assert message.startswith(f"Line {line}: ")
    assert reason in message


@pytest.mark.parametrize(
    "html",
    [
        "<a href='{{ title }}'>x</a>",
        "<a href='java{% if title %}script:{% endif %}alert(1)'>x</a>",
        "<{% if title %}script{% else %}p{% endif %}>alert(1)</p>",
        "<p {% if title %}onclick{% else %}title{% endif %}='x'>x</p>",
    ],
)
def test_what_values_and_blocks_put_together_is_cleaned(html: str) -> None:
    document = a_quote_document(title="javascript:alert(1)")

    shown = TEMPLATES.quote_sent(document, "", some_texts(html=html)).html

    body = shown.partition("<tr><td")[2]
    assert "script:" not in body
    assert "<script" not in body
    assert "onclick" not in body


@pytest.mark.parametrize(
    "html",
    [
        "<a href='https://shop.example/{{ number }}?of={{ title }}'>x</a><a href=' HTTPS://x.example'>x</a>",
        "<a href='mailto:{{ salesperson }}@nordwerk.example'>x</a><img src='http://x.example/logo.png' alt=''>",
        "<p style='color: {{ title }}; padding:4px 2px'>x</p>",
        "<p style='color:rgb(1, 2,3)!important;font-family:\"Segoe UI\", Arial;'>x</p><p style=''>x</p>",
        "<p style='{% if title %}color:red;{% endif %} margin: 0 auto'>x</p>",
        "<p style='color:{% if title %}red{% else %}blue{% endif %};width:50%'>x</p>",
    ],
)
def test_html_that_mail_programs_show_is_taken(html: str) -> None:
    assert faults(html=html) == []


@given(
    names=st.lists(
        st.sampled_from(["color", "PADDING", "width", "position", "x", "--y", "font-family", ""]), max_size=4
    ),
    values=st.lists(st.text("red 4px%#,!'\"();:\\/*@{}<>&u\n", max_size=8), min_size=4, max_size=4),
)
def test_no_style_is_taken_out_in_silence(names: list[str], values: list[str]) -> None:
    style = ";".join(f"{name}:{value}" for name, value in zip(names, values, strict=False))
    html = f'<p style="{escape(style)}">x</p>'

    kept = cleaned(html)

    if not refusals(html):
        assert all(f"{name.lower()}:" in kept.lower() for name in names)


def test_styles_cannot_cover_the_page_or_load_anything() -> None:
    document = a_quote_document(title="red;position:fixed;background:url(https://x.example)")
    html = "<p style='position:fixed;background-image:url(https://x.example);color:{{ title }};padding:4px'>x</p>"

    shown = TEMPLATES.quote_sent(document, "", some_texts(html=html)).html

    assert "padding:4px" in shown
    assert "position" not in shown
    assert "url(" not in shown


PIECES = st.sampled_from(
    [
        *(
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "for",
            "line",
            "in",
            "lines",
            "if",
            "endif",
            "endfor",
            "else",
            "raw",
            "endraw",
        ),
        *(
            "number",
            "note",
            ".",
            "loop",
            "sku",
            "|",
            "upper",
            "default",
            "(",
            ")",
            "not",
            "and",
            "==",
            "9",
            "*",
            "~",
            "-",
        ),
        *(
            "__class__",
            "'",
            '"',
            "<",
            ">",
            "<a href=",
            "javascript:",
            "<script",
            "on",
            "=",
            "\\",
            "\n",
            " ",
            " ",
            "x",
            "é",
        ),
        "\ud800",
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_a_template_or_a_fault_and_never_more(source: str) -> None:
    texts = some_texts(text=f"x{source}", html=f"x{source}")
    if list(TEMPLATES.faults(OFFER, texts)):
        return

    composed = TEMPLATES.sample(OFFER, "en", texts)

    assert not re.search(r"<script|<[^>]*\bon\w+=|<[^>]*javascript:", composed.html.partition("<tr><td")[2])


def test_a_template_that_is_kept_and_no_longer_taken_cannot_be_used() -> None:
    for changes in ({"text": "{{ gone }}"}, {"subject": "{{ 'a' ~ 'b' }}"}, {"html": "<p>{{ note|safe }}</p>"}):
        with pytest.raises(TemplateFailed):
            TEMPLATES.quote_sent(a_quote_document(), "x", some_texts(**changes))


def test_the_documentation_names_all_values_filters_and_limits() -> None:
    told = (Path(__file__).resolve().parents[3] / "docs" / "email.md").read_text(encoding="utf-8")

    for name, meaning in TEMPLATE_VALUES[OFFER].items():
        assert f"| `{name}` | {meaning} |" in told
    assert ", ".join(f"`{name}`" for name in FILTERS) in told
    for limit in (
        LONGEST_SUBJECT_TEMPLATE,
        LONGEST_TEXT_TEMPLATE,
        LONGEST_HTML_TEMPLATE,
        MOST_NODES,
        DEEPEST,
        LONGEST_RENDERED,
        LONGEST_VALUE,
        MOST_STEPS,
        STEPS_OF_FILTERS,
        MOST_REPEATS,
    ):
        assert f"{limit:,}".replace(",", " ") in told
