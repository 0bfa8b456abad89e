"""What a route takes, read off the types of its handler; for bodies that are absent, and for errors that say what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from litestar.handlers import BaseRouteHandler
from litestar.typing import FieldDefinition
from msgspec.inspect import StructType, type_info

_optional: WeakKeyDictionary[BaseRouteHandler, bool] = WeakKeyDictionary()


def body_may_be_absent(handler: BaseRouteHandler) -> bool:
    """Whether the route takes a body none of whose fields is needed: then none at all means ``{}``."""
    if handler not in _optional:
        data = handler.parsed_data_field
        taken = None if data is None else type_info(data.annotation)
        _optional[handler] = isinstance(taken, StructType) and not any(field.required for field in taken.fields)
    return _optional[handler]


@dataclass(frozen=True, slots=True)
class Expected:
    """What *handler* takes, for who explains an error; None is a handler that takes anything."""

    handler: BaseRouteHandler | None = None

    def name_of(self, key: str) -> str:
        """The name by which the sender knows the parameter that Litestar calls *key*."""
        parameter = self._parameters.get(key)
        definition = None if parameter is None else parameter.kwarg_definition
        return getattr(definition, "name", None) or key

    def type_at(self, key: str, *, in_body: bool) -> tuple[Any, str]:
        """The type of the parameter or body that Litestar's *key* leads into, and the path within it."""
        name, path = ("data", key.removeprefix("data").removeprefix(".")) if in_body else (key, "")
        parameter = self._parameters.get(name)
        return (Any if parameter is None else parameter.annotation), path

    @property
    def _parameters(self) -> Mapping[str, FieldDefinition]:
        return {} if self.handler is None else self.handler.parsed_fn_signature.parameters
