"""An identity provider in a thread, that can be told to lie in one thing at a time."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

KEY = RSAKey.generate_key(2048, parameters={"kid": "k1"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "k1"})
CLIENT_ID, CLIENT_SECRET = "proffer", "the client's secret"


@dataclass
class Provider:
    """*person* are the claims of who logs in. A lie replaces one thing that it says."""

    url: str
    person: dict[str, Any] = field(default_factory=dict)
    claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told
    discovery: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told
    sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
        {"alg": "RS256", "kid": "k1"}, claims, KEY, algorithms=["RS256"]
    )
    keys: bytes | None = None
    redirect_keys: str = ""
    pause: float = 0
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def log_in(self, authorization_url: str) -> dict[str, str]:
        """As a browser would: the query that the provider sends back with it."""
        told = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        assert told["response_type"] == "code"
        assert told["code_challenge_method"] == "S256"
        assert len(told["state"]) >= 43
        assert len(told["nonce"]) >= 43
        code = hashlib.sha256(told["nonce"].encode()).hexdigest()
        self.codes[code] = told
        return {"state": told["state"], "code": code, "iss": self.url}

    def answer(self, path: str, body: dict[str, str], authorization: str) -> tuple[int, bytes]:
        self.asked.append(path)
        time.sleep(self.pause)
        if path == "/.well-known/openid-configuration":
            known = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "authorization_response_iss_parameter_supported": True,
            }
            return 200, json.dumps(self.discovery(known)).encode()
        if path == "/keys":
            if self.redirect_keys:
                return 302, self.redirect_keys.encode()
            public = {"keys": [KEY.as_dict(private=False)]}
            return 200, json.dumps(public).encode() if self.keys is None else self.keys
        if path == "/token":
            return self._token(body, authorization)
        return 404, b"{}"

    def _token(self, body: dict[str, str], authorization: str) -> tuple[int, bytes]:
        begun = self.codes.pop(body.get("code", ""), None)
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(body.get("code_verifier", "").encode()).digest())
        if (
            begun is None
            or authorization != f"Basic {expected}"
            or begun["code_challenge"] != challenge.decode().rstrip("=")
            or body["redirect_uri"] != begun["redirect_uri"]
        ):
            return 400, b'{"error": "invalid_grant"}'
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": begun["nonce"],
        } | self.person
        token = self.sign(self.claims(claims))
        return 200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}).encode()


@contextmanager
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            told = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(told).items()})

        def _answer(self, body: dict[str, str]) -> None:
            status, content = made.answer(urlsplit(self.path).path, body, self.headers.get("authorization", ""))
            self.send_response(status)
            if status == 302:
                self.send_header("location", content.decode())
                content = b""
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            try:
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                return

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Provider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def signed_with_a_shared_secret(claims: dict[str, Any]) -> str:
    """By who knows what the client knows."""
    return jwt.encode(
        {"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET.encode().ljust(32, b"x")), algorithms=["HS256"]
    )


def unsigned(claims: dict[str, Any]) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}."


def signed_by_another(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, OTHER_KEY, algorithms=["RS256"])
