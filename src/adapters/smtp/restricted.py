"""Templates that an organisation writes: so little of Jinja that each ends soon, and reaches nothing but named values.

What is not on the lists here is refused before anything is compiled; the sandbox is the second wall. There is nothing that
counts, calls, joins texts or repeats beyond a given list. How much work is left is counted before it is done: a template has
at most MOST_STEPS, and no step has more to read than LONGEST_VALUE characters and what one filter makes of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from src.application.ports.mail import TemplateFailed

LONGEST_RENDERED: Final = 200_000
DEEPEST: Final = 20
MOST_NODES: Final = 2_000
MOST_REPEATS: Final = 100
LONGEST_VALUE: Final = 2_000
MOST_FILTERS: Final = 2
MOST_STEPS: Final = 30_000
STEPS_OF_FILTERS: Final = (
    25  # And of comparisons. Measured with texts of LONGEST_VALUE, whose small letters are two capitals.
)
# Not «title», which takes ten times as long as the others.
FILTERS: Final = ("upper", "lower", "capitalize", "trim", "length", "default")
_OF_LOOP: Final = frozenset({"index", "first", "last", "length"})
_NAMED: Final = {
    "Call": "Calls are not known here.",
    "Include": "Other templates cannot be included.",
    "Import": "Other templates cannot be imported.",
    "FromImport": "Other templates cannot be imported.",
    "Extends": "Other templates cannot be extended.",
    "Getitem": "Values have no parts that could be asked for with [ ].",
    "Assign": "Names cannot be set.",
    "Macro": "Macros are not known here.",
    "Concat": "Texts are not joined: write values side by side.",
    **dict.fromkeys(
        ("Add", "Div", "FloorDiv", "Mod", "Mul", "Neg", "Pos", "Pow", "Sub"), "Nothing is calculated here."
    ),
}
# What a broken value, or a bug behind all these lists, could raise while a template is read or rendered.
_FAULTS: Final = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    SyntaxError,
)


class Refusal(Exception):
    """Why something is no template of ours, and in which line (from 1)."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")


def _environment(*, html: bool) -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        optimized=False,  # Which would calculate constants while it compiles.
    )
    made.globals.clear()
    made.tests.clear()
    made.filters = {name: made.filters[name] for name in FILTERS}
    return made


_TEXT, _HTML = _environment(html=False), _environment(html=True)


def check(source: str, values: Collection[str]) -> None:
    """Raises Refusal unless *source* is a template that names nothing but *values* (``lines.sku``: of each item of a list)."""
    try:
        tree = _TEXT.parse(source)
    except TemplateSyntaxError as error:
        raise Refusal(error.lineno, error.message or "This is no template.") from None
    except (RecursionError, ValueError, OverflowError):
        raise Refusal(1, "It is nested too deeply, or a number in it is too long.") from None
    _Reader(values).read(tree)


def render(source: str, values: Mapping[str, object], known: Collection[str], *, html: bool) -> str:
    """*source* with *values*; in HTML they are escaped. Of long values it has LONGEST_VALUE characters, of lists MOST_REPEATS.

    Raises TemplateFailed, also for more than LONGEST_RENDERED characters.
    """
    try:
        check(source, known)
        pieces, size = [], 0
        for piece in _compiled(source, html).generate(_shortened(values)):
            size += len(piece)
            if size > LONGEST_RENDERED:
                raise TemplateFailed(f"It would be longer than {LONGEST_RENDERED} characters.")
            pieces.append(piece)
    except Refusal as refused:
        raise TemplateFailed(str(refused)) from None
    except _FAULTS as error:
        raise TemplateFailed(f"{type(error).__name__}: {error}"[:500]) from error
    return "".join(pieces)


def _shortened(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _short(value) for name, value in values.items()}


def _short(value: object) -> object:
    match value:
        case str() if len(value) > LONGEST_VALUE:
            return value[: LONGEST_VALUE - 1] + "\N{HORIZONTAL ELLIPSIS}"
        case list():
            return [_shortened(item) for item in value[:MOST_REPEATS]]
        case _:
            return value


@lru_cache(maxsize=64)
def _compiled(source: str, html: bool) -> Template:
    return (_HTML if html else _TEXT).from_string(source)


def without_blocks(source: str) -> str:
    """What of *source* is no template: an ``x`` for each value, nothing for blocks and comments, line breaks where they were.

    Raises TemplateSyntaxError.
    """
    return "".join(_outside(source))


def _outside(source: str) -> Iterator[str]:
    for _, kind, text in _TEXT.lex(source):
        if kind == "data":
            yield text
        else:
            yield "\n" * text.count("\n") + ("x" if kind == "variable_begin" else "")


class _Reader:
    """Walks through a template. *values* are names, and names of lists with a full stop and a name of their items'."""

    def __init__(self, values: Collection[str]) -> None:
        self._values = {name for name in values if "." not in name}
        self._lists = {name.partition(".")[0] for name in values if "." in name}
        self._items = {
            name: {one.partition(".")[2] for one in values if one.startswith(f"{name}.")} for name in self._lists
        }
        self._read = self._steps = 0
        self._times = 1  # How often what is read now is done at most.
        self._item: tuple[str, str] | None = None  # The name of a loop's item, and of its list.

    def read(self, tree: nodes.Template) -> None:
        self._blocks(tree.body, 0)

    def _blocks(self, body: Iterable[nodes.Node], depth: int) -> None:
        for node in body:
            self._count(node, depth)
            match node:
                case nodes.Output():
                    for part in node.nodes:
                        if not isinstance(part, nodes.TemplateData):
                            self._value(part, depth + 1)
                case nodes.If():
                    self._value(node.test, depth + 1)
                    self._blocks([*node.body, *node.else_], depth + 1)
                    self._blocks(node.elif_, depth + 1)
                case nodes.For():
                    self._loop(node, depth)
                case _:
                    raise _unknown(node)

    def _loop(self, node: nodes.For, depth: int) -> None:
        over = node.iter.name if isinstance(node.iter, nodes.Name) else ""
        if over not in self._lists:
            known = ", ".join(sorted(self._lists)) or "nothing"
            raise Refusal(node.lineno, f"One can go through a list alone; here that is {known}.")
        if self._item is not None or node.recursive:
            raise Refusal(node.lineno, "Loops within loops are not known here.")
        if (
            node.test is not None
            or not isinstance(node.target, nodes.Name)
            or node.target.name in {*self._values, "loop"}
        ):
            raise Refusal(node.lineno, "Write it as «for line in lines», with a name of its own.")
        self._item, self._times = (node.target.name, over), MOST_REPEATS
        self._count(node, depth)  # Going on to the next is work, too.
        self._blocks(node.body, depth + 1)
        self._item, self._times = None, 1
        self._blocks(node.else_, depth + 1)

    def _value(self, node: nodes.Node, depth: int) -> None:
        self._count(node, depth)
        match node:
            case nodes.Name():
                self._name(node)
            case nodes.Getattr():
                self._part(node)
            case nodes.Filter():
                self._filter(node, depth)
            case nodes.Const() if isinstance(node.value, str) and len(node.value) > LONGEST_VALUE:
                raise Refusal(node.lineno, f"A text in quotation marks has at most {LONGEST_VALUE} characters.")
            case _:
                for operand in _operands(node):
                    self._value(operand, depth + 1)

    def _name(self, node: nodes.Name) -> None:
        if node.name in self._lists:
            raise Refusal(node.lineno, f"«{node.name}» is a list: go through it with «for».")
        if node.name not in self._values:
            raise Refusal(node.lineno, f"«{node.name}» is not known here.")

    def _part(self, node: nodes.Getattr) -> None:
        """Of the item of a loop, or of the loop itself."""
        of = node.node.name if isinstance(node.node, nodes.Name) else ""
        if self._item is not None:
            parts = _OF_LOOP if of == "loop" else self._items[self._item[1]] if of == self._item[0] else frozenset()
            if node.attr in parts:
                return
        raise Refusal(node.lineno, f"«{of}.{node.attr}» is not known here.")

    def _filter(self, node: nodes.Filter, depth: int) -> None:
        if node.name not in FILTERS:
            raise Refusal(node.lineno, f"The filter «{node.name}» is not known here; known are {', '.join(FILTERS)}.")
        if (
            node.node is None
            or node.kwargs
            or node.dyn_args
            or node.dyn_kwargs
            or (node.args and node.name != "default")
        ):
            raise Refusal(node.lineno, f"Write the filter «{node.name}» as «value|{node.name}».")
        if sum(1 for _ in node.find_all(nodes.Filter)) >= MOST_FILTERS:
            raise Refusal(node.lineno, f"A value goes through {MOST_FILTERS} filters at most.")
        if not (node.name == "length" and isinstance(node.node, nodes.Name) and node.node.name in self._lists):
            self._value(node.node, depth + 1)
        for argument in node.args:
            self._value(argument, depth + 1)

    def _count(self, node: nodes.Node, depth: int) -> None:
        self._read += 1
        if depth > DEEPEST or self._read > MOST_NODES:
            raise Refusal(node.lineno or 1, "The template is nested too deeply, or has too many parts.")
        self._steps += self._times * _steps(node)
        if self._steps > MOST_STEPS:
            raise Refusal(node.lineno or 1, f"There is too much to do: {MOST_REPEATS} times all that is in a loop.")


def _steps(node: nodes.Node) -> int:
    match node:
        case nodes.Filter():
            return STEPS_OF_FILTERS
        case nodes.Compare():
            return STEPS_OF_FILTERS * len(node.ops)
        case _:
            return 1


def _operands(node: nodes.Node) -> Iterable[nodes.Node]:
    """What a condition is made of. Raises Refusal for what is no condition and no constant."""
    match node:
        case nodes.Const():
            return ()
        case nodes.Not():
            return (node.node,)
        case nodes.And() | nodes.Or():
            return node.left, node.right
        case nodes.Compare():
            return node.expr, *(operand.expr for operand in node.ops)
        case nodes.CondExpr():
            return (node.test, node.expr1) if node.expr2 is None else (node.test, node.expr1, node.expr2)
        case _:
            raise _unknown(node)


def _unknown(node: nodes.Node) -> Refusal:
    kind = type(node).__name__
    line = next(
        (one.lineno for one in (node, *node.find_all(nodes.Node)) if one.lineno), 1
    )  # Some have none themselves.
    return Refusal(line, _NAMED.get(kind, f"«{kind}» of Jinja is not known here."))
