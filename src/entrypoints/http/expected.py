"""What a route takes, read off the types of its handler; for bodies that are absent."""

from weakref import WeakKeyDictionary

from litestar.handlers import BaseRouteHandler
from msgspec.inspect import StructType, type_info

_optional: WeakKeyDictionary[BaseRouteHandler, bool] = WeakKeyDictionary()


def body_may_be_absent(handler: BaseRouteHandler) -> bool:
    """Whether the route takes a body none of whose fields is needed: then none at all means ``{}``."""
    if handler not in _optional:
        data = handler.parsed_data_field
        taken = None if data is None else type_info(data.annotation)
        _optional[handler] = isinstance(taken, StructType) and not any(field.required for field in taken.fields)
    return _optional[handler]
