"""``/docs`` and ``/openapi.json``. Everything that the page needs comes from here: it works without any other host."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from litestar import Controller, Litestar, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.params import FromPath
from litestar.routes import HTTPRoute
from litestar.serialization import encode_json

from src.application.documents.add_attachment import AttachmentLimits
from src.domain.documents.file_types import FILE_TYPES
from src.entrypoints.http.access import Door, accesses_of
from src.entrypoints.http.bodies import FILES, takes_stream
from src.entrypoints.http.expected import body_may_be_absent

_STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "favicon-32x32.png": "image/png",
}
# Swagger UI sets styles and draws its icons inline; scripts come from here alone.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Proffer API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</body>
</html>
"""
DESCRIPTION: Final = """Offers that are priced exactly, agreed on, sent and provable.

Log in at `POST /api/v1/login`, choose **Authorize** and paste the access token. Money goes over the wire as text, with
the currency beside it; instants are in UTC, with `Z`. Every error has the form `{error_code, message, details, trace_id}`; the trace id also stands in
the header `X-Trace-Id` of every answer. Every address that takes GET takes HEAD."""


_ADDRESSES: Final = {
    "name": "Proffer",
    "api": "/api/v1",
    "docs": "/docs",
    "openapi": "/openapi.json",
    "live": "/health/live",
    "ready": "/health/ready",
}
# To its end, or to where a second thought begins; what stands between backquotes has no ends.
_SENTENCE: Final = re.compile(r"(?:`[^`]*`|[^`.;:]|[.;:](?!\s|$))+")
_ERRORS: Final = {
    "401": "The token is missing, not valid, or has expired; or the credentials are wrong.",
    "403": "A permission is missing.",
    "404": "There is no such thing in this organisation.",
    "405": "The address does not take this method.",
    "409": "The state does not allow it.",
    "412": "Somebody has changed it since.",
    "428": "An update needs `If-Match` with the ETag that was read.",
    "429": "Too many requests; try again after `Retry-After` seconds.",
    "413": "The body is too large.",
    "415": "The body is of another type than the address takes.",
    "422": "Values make no sense; `details` lists `{field, message}`.",
    "500": "Our fault; the trace id finds it.",
    "503": "The database or the storage cannot be used at the moment; try again after `Retry-After` seconds.",
}
_ATTACHED: Final = sorted({one.media_type for one in FILE_TYPES} | {"application/octet-stream"})
_ATTACHMENT: Final = (
    "The file itself, streamed, up to as many bytes as the installation takes "
    f"(`PROFFER_LARGEST_ATTACHMENT`; {AttachmentLimits().largest:,} unless it says otherwise). Its type is that of the end of "
    "`file_name`; a `Content-Type` that says another is refused, `application/octet-stream` says none. With a `Content-Length` "
    "a file that is too large is refused before it is read."
)
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "New for each write, the same when it is sent again: it is done once, and answered as the first time.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_ERROR_SCHEMA: Final = {
    "type": "object",
    "required": ["error_code", "message", "details", "trace_id"],
    "properties": {
        "error_code": {"type": "string", "examples": ["validation_failed"]},
        "message": {"type": "string"},
        "details": {
            "oneOf": [
                {"type": "object"},
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["field", "message"],
                        "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                    },
                },
            ]
        },
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    },
}


_ACCOUNT_FILES: Final = {
    "account.js": "text/javascript; charset=utf-8",
    "account.css": "text/css; charset=utf-8",
}
_ACCOUNT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'"
)
_ACCOUNT_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Your account</title>
<link rel="stylesheet" href="/account/account.css">
<script src="/account/account.js" defer></script>
</head>
<body>
<main>
<h1></h1>
<p id="lead"></p>
<form>
<label for="password">Password, at least 8 characters</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" maxlength="1024" required>
<label for="again">Once more</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="8" maxlength="1024" required>
<button>Save</button>
</form>
<p id="said" role="status"></p>
</main>
</body>
</html>
"""


class AccountPageController(Controller):
    """Where the links of invitations and password resets lead."""

    path = "/account"
    include_in_schema = False

    @get(media_type="text/html", open_to_all=True)
    async def page(self) -> Response[str]:
        """The form; its secret never reaches the server but in what the form sends."""
        return Response(_ACCOUNT_PAGE, media_type="text/html", headers={"Content-Security-Policy": _ACCOUNT_POLICY})

    @get("/{name:str}", open_to_all=True)
    async def file(self, name: FromPath[str]) -> Response[bytes]:
        """A file of the page; the names are a fixed list."""
        if name not in _ACCOUNT_FILES:
            raise NotFoundException
        return Response((_STATIC / name).read_bytes(), media_type=_ACCOUNT_FILES[name])


class DocsController(Controller):
    path = ""
    include_in_schema = False

    @get("/", open_to_all=True)
    async def beginning(self) -> dict[str, str]:
        """Where everything is, for whoever has the bare address."""
        return _ADDRESSES

    @get("/docs", media_type="text/html", open_to_all=True)
    async def page(self) -> Response[str]:
        """The interactive documentation."""
        return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    @get("/docs/{name:str}", open_to_all=True)
    async def file(self, name: FromPath[str]) -> Response[bytes]:
        """A file of the page; the names are a fixed list."""
        if name not in _FILES:
            raise NotFoundException
        headers = {"Cache-Control": "public, max-age=3600"}
        return Response((_STATIC / name).read_bytes(), media_type=_FILES[name], headers=headers)

    @get("/openapi.json", open_to_all=True)
    async def document(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The OpenAPI 3.1 document."""
        document = with_summaries(request.app.openapi_schema.to_schema())
        document = with_access(with_errors(document), request.app)
        document = with_files(with_optional_bodies(document, request.app))
        return Response(encode_json(document), media_type="application/json")


def with_summaries(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with each operation called by the first sentence of what is said of it; Litestar takes its handler's name."""
    for item in document["paths"].values():
        for operation in item.values():
            sentence = _SENTENCE.match(operation.get("description", ""))
            operation["summary"] = " ".join(sentence[0].split()) if sentence else ""
    return document


def with_errors(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with the errors that any route may answer, declared in one place."""
    document.setdefault("components", {}).setdefault("schemas", {})["Error"] = _ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path, item in document["paths"].items():
        if path.startswith(("/api/", "/platform/")):
            for operation in item.values():
                for status, description in _ERRORS.items():
                    operation["responses"][status] = {"description": description, "content": content}
                operation["responses"].pop("400", None)
                operation["responses"]["400"] = {"description": "The body is no strict JSON.", "content": content}
    return document


def with_access(document: dict[str, Any], app: Litestar) -> dict[str, Any]:
    """*document* with who may call each route: the permission, or the door."""
    for access in accesses_of(app):
        operation = document["paths"].get(access.path, {}).get(access.method.lower())
        if operation is None:
            continue
        if access.door is Door.EVERYBODY:
            operation["security"] = []
        elif access.door is Door.OPERATORS:
            operation["security"] = [{"operator_key": []}]
        if access.permission is not None:
            operation["x-permission"] = access.permission.value
            operation["description"] += f"\n\nNeeds the permission `{access.permission.value}`."
        if access.method == "POST" and access.door is Door.USERS:
            operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    return document


def with_optional_bodies(document: dict[str, Any], app: Litestar) -> dict[str, Any]:
    """*document* with the bodies that may be left out; Litestar calls each one required."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                operation = document["paths"].get(route.path_format, {}).get(method.lower(), {})
                if "requestBody" in operation and body_may_be_absent(handler):
                    operation["requestBody"]["required"] = False
    return document


def with_files(document: dict[str, Any]) -> dict[str, Any]:
    """*document* with the bodies that are files: their handlers take them as they are, and Litestar tells nothing of them."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if path in FILES and method in {"post", "put"}:
                types, largest = FILES[path]
                names = sorted(one.decode() for one in types)
                operation["requestBody"] = _file_body(names, f"The file itself, up to {largest:,} bytes.")
            elif method == "post" and takes_stream(path):
                operation["requestBody"] = _file_body(_ATTACHED, _ATTACHMENT)
    return document


def _file_body(media_types: Sequence[str], description: str) -> dict[str, Any]:
    content = {one: {"schema": {"type": "string", "format": "binary"}} for one in media_types}
    return {"required": True, "description": description, "content": content}


def openapi_config() -> OpenAPIConfig:
    """What the document says beyond the routes."""
    return OpenAPIConfig(
        title="Proffer",
        version="1",
        description=DESCRIPTION,
        use_handler_docstrings=True,
        path="/openapi",
        render_plugins=[JsonRenderPlugin(path="/litestar.json")],
        security=[{"token": []}],
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", bearer_format="JWT", description="An access token, or an API key."
                ),
                "operator_key": SecurityScheme(
                    type="http", scheme="bearer", description="A platform operator's key, from the command line."
                ),
            }
        ),
    )
