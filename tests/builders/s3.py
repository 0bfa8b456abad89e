"""A bucket on loopback: moto's server, which speaks S3 as far as a store needs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import boto3
import httpx
from moto.server import ThreadedMotoServer

BUCKET: Final = "bucket"


@contextmanager
def a_bucket_server() -> Iterator[tuple[str, "Bucket"]]:
    """Its address, and what it keeps."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        address = f"http://{host}:{port}"
        httpx.post(f"{address}/moto-api/reset")  # What it keeps belongs to the process, not to the server.
        yield address, Bucket(address)
    finally:
        server.stop()


class Bucket:
    def __init__(self, address: str) -> None:
        self._client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        self._client.create_bucket(Bucket=BUCKET)

    def keys(self) -> set[str]:
        return {found["Key"] for found in self._client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def content(self, key: str) -> tuple[bytes, str]:
        """Bytes and content type."""
        found = self._client.get_object(Bucket=BUCKET, Key=key)
        return found["Body"].read(), found["ContentType"]

    def unfinished(self) -> int:
        """Uploads in parts that were neither completed nor ended."""
        return len(self._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))
