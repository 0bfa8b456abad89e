"""The storage that a setting names."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from obstore.store import LocalStore, S3Store

from src.adapters.storage.obstore_storage import ObstoreStorage

_OPTIONS = frozenset({"region", "endpoint", "path_style"})


def storage_from(url: str) -> ObstoreStorage:
    """``file:///folder``, a path, or ``s3://bucket/prefix?region=…&endpoint=…&path_style=true``.

    A folder is made when it is missing. Credentials for S3 come from the usual ``AWS_…`` variables of the
    environment, never from the URL. Raises ValueError for anything else, unknown options included.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3":
        return ObstoreStorage(_bucket(parts.netloc, parts.path.strip("/"), parts.query))
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return ObstoreStorage(LocalStore(Path(unquote(parts.path)), mkdir=True))
    if not parts.scheme and url:
        return ObstoreStorage(LocalStore(Path(url).absolute(), mkdir=True))
    raise ValueError(f"{parts.scheme or url!r} names no storage: use a path, file:///… or s3://….")


def _bucket(bucket: str, prefix: str, query: str) -> S3Store:
    options = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
    if not bucket or "@" in bucket:
        raise ValueError("An S3 URL is s3://bucket/prefix, without credentials.")
    if unknown := options.keys() - _OPTIONS:
        raise ValueError(f"Unknown options of the S3 URL: {', '.join(sorted(unknown))}.")
    config: Any = {  # The TypedDict for it exists for type checkers only.
        "virtual_hosted_style_request": options.get("path_style", "false").lower() != "true",
        "region": options.get("region", "us-east-1"),
    }
    endpoint = options.get("endpoint", "")
    if endpoint:
        config["endpoint"] = endpoint
    return S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "timeout": timedelta(seconds=60),
            "connect_timeout": timedelta(seconds=5),
            "allow_http": endpoint.startswith("http://"),
        },
        # Jobs try again by themselves, later; here it is about a lost packet.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=20)},
    )
