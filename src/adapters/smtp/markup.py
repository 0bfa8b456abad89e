"""The HTML that an organisation's template may have: what mail programs show, and nothing that runs, frames or asks."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

import nh3

from src.domain.shared.text import storable

_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_TAGS: Final = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "center",
        "code",
        "div",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "hr",
        "i",
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
_EVERYWHERE: Final = frozenset({"align", "dir", "lang", "role", "style", "title"})
_MORE: Final = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt", "width", "height"}),
    "table": frozenset({"width", "cellpadding", "cellspacing", "border", "bgcolor"}),
    "td": frozenset({"width", "height", "colspan", "rowspan", "valign", "bgcolor"}),
    "th": frozenset({"width", "height", "colspan", "rowspan", "valign", "bgcolor"}),
}
_STYLES: Final = frozenset(
    [
        "background-color",
        "border",
        "border-bottom",
        "border-collapse",
        "border-color",
        "border-left",
        "border-radius",
        "border-right",
        "border-style",
        "border-top",
        "border-width",
        "color",
        "direction",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "height",
        "letter-spacing",
        "line-height",
        "margin",
        "margin-bottom",
        "margin-left",
        "margin-right",
        "margin-top",
        "max-width",
        "padding",
        "padding-bottom",
        "padding-left",
        "padding-right",
        "padding-top",
        "text-align",
        "text-decoration",
        "text-transform",
        "vertical-align",
        "white-space",
        "width",
        "word-break",
    ]
)
_ADDRESSES: Final = frozenset({"href", "src"})
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# Words, lengths, colours and names of fonts; no addresses, escapes or comments. Possessive, to be read once.
_STYLE: Final = re.compile(r"\s*+(?P<name>[a-z-]++)\s*+:")
_VALUE: Final = re.compile(
    r"""\s*+(?=[^\s;])"""
    r"""(?:(?:rgb|hsl)a?\([\w\s.,%/+-]*+\)|'[\w\s,.-]*+'|"[\w\s,.-]*+"|[\w\s.,#%!+-])++(?:;|\Z)""",
    re.ASCII,
)
_IGNORED: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029\ufeff]")


def cleaned(html: str) -> str:
    """*html* without anything that is not on our lists, whatever values have made of it."""
    return nh3.clean(
        storable(html),
        tags=set(_TAGS),
        clean_content_tags={"script", "style"},
        attributes={"*": set(_EVERYWHERE)} | {tag: set(names) for tag, names in _MORE.items()},
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
    )


def refusals(html: str) -> list[tuple[int, str]]:
    """What would be taken out of *html*, so that its writer learns of it: line (from 1) and reason."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, _ = self.getpos()
        if tag not in _TAGS:
            self.found.append((line, f"<{tag[:40]}> is not allowed here."))
            return
        for name, value in attrs:
            if name not in _EVERYWHERE | _MORE.get(tag, frozenset()):
                self.found.append((line, f"«{name[:40]}» is not allowed in <{tag}>."))
            elif name in _ADDRESSES:
                self.found += ((line, reason) for reason in _wrong_with_address(value or ""))
            elif name == "style":
                self.found += ((line, reason) for reason in _wrong_with_style(value or ""))


def _wrong_with_address(address: str) -> Iterator[str]:
    """In a mail, one without a scheme leads nowhere; and no value of an offer is an address."""
    scheme = _SCHEME.match(_IGNORED.sub("", address))
    if scheme is None:
        yield "Addresses begin with https, http, mailto or tel; a value cannot stand in their place."
    elif scheme[1].lower() not in _SCHEMES:
        yield f"Addresses begin with https, http, mailto or tel, not with «{scheme[1][:40]}»."


def _wrong_with_style(style: str) -> Iterator[str]:
    """What browsers would make of anything but plain declarations is not ours to guess."""
    at = 0
    while style[at:].strip():
        name = _STYLE.match(style, at)
        if name is not None and name["name"] not in _STYLES:
            yield f"The style «{name['name'][:40]}» is not allowed here."
            return
        value = None if name is None else _VALUE.match(style, name.end())
        if value is None:
            wrong = style[at if name is None else name.end() :].partition(";")[0].strip()
            yield f"Write styles as «color: red; padding: 4px», not with «{wrong[:40]}»."
            return
        at = value.end()
