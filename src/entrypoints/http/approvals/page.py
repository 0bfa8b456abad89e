"""The page that mails about approvals link to, unless the operator has named one of their own."""

from pathlib import Path
from typing import Final
from uuid import UUID

from litestar import Controller, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_STATIC: Final = Path(__file__).parents[1] / "static"
_FILES: Final = {
    "approvals.js": "text/javascript; charset=utf-8",
    "approvals.css": "text/css; charset=utf-8",
}
# No form may be sent by the browser itself: without its script the page would put a password into the address.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Approvals</title>
<link rel="stylesheet" href="/approvals/page/approvals.css">
<script src="/approvals/page/approvals.js" defer></script>
</head>
<body>
<main>
<header><h1>Approvals</h1><button id="leave" class="plain" hidden>Log out</button></header>
<noscript><p class="bad">This page needs its script. Without it, decide by <code>proffer approval</code> or over the API.</p></noscript>
<p id="said" role="status"></p>
<form id="login" method="post" hidden>
<p>Log in to see what waits for you.</p>
<label for="email">E-mail</label>
<input id="email" name="email" type="email" autocomplete="username" maxlength="254" required>
<label for="password">Password; without it, a code is mailed to you</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024">
<div id="several" hidden>
<label for="organization">Organisation</label>
<select id="organization" name="organization"></select>
</div>
<button>Log in</button>
</form>
<form id="verify" method="post" hidden>
<label for="code"></label>
<input id="code" name="code" autocomplete="one-time-code" maxlength="40" required>
<button>Go on</button>
</form>
<section id="shown" hidden></section>
</main>
</body>
</html>
"""


class ApprovalPageController(Controller):
    """A page with nothing in it: what it shows it asks of the API, as whoever logs in, and under the API's rules.

    The token stays in the page's memory. There is no cookie, so no other site can have a browser decide.
    """

    path = "/approvals"
    include_in_schema = False

    @get(media_type="text/html", open_to_all=True)
    async def inbox(self) -> Response[str]:
        """What waits for whoever logs in."""
        return _page()

    @get("/{request_id:uuid}", media_type="text/html", open_to_all=True)
    async def request(self, request_id: FromPath[UUID]) -> Response[str]:
        """One request. The page is the same whether or not there is one: only the API tells, and whom it may."""
        del request_id
        return _page()

    @get("/page/{name:str}", open_to_all=True)
    async def file(self, name: FromPath[str]) -> Response[bytes]:
        """A file of the page; the names are a fixed list."""
        if name not in _FILES:
            raise NotFoundException
        return Response((_STATIC / name).read_bytes(), media_type=_FILES[name])


def _page() -> Response[str]:
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})
