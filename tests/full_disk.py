"""A process whose files may not grow beyond 64 KiB, so that its storage is full: says on standard output what happened.

``python -m tests.full_disk FOLDER``. Writing on fails as on a full disk, with an error of the system in the middle of a file.
"""

import asyncio
import json
import os
import resource
import sys
from pathlib import Path

from src.adapters.memory.unit_of_work import MemoryStore, OpenMemoryUnitOfWork
from src.adapters.storage import storage_from
from src.application.documents.add_attachment import AttachmentLimits
from src.application.ports.storage import StorageUnavailable
from tests.builders.files import PDF
from tests.contract.store.test_attachments import a_desk

LARGE = PDF + bytes(3_000_000)


async def _run(folder: str) -> dict[str, object]:
    desk = await a_desk(OpenMemoryUnitOfWork(MemoryStore()))
    desk.storage = storage_from(folder)
    told: dict[str, object] = {}
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
    for name, attempt in (
        ("upload", desk.add(content=LARGE, limits=AttachmentLimits())),
        ("document", desk.storage.put("org/documents/1.pdf", LARGE, content_type="application/pdf")),
    ):
        try:
            await attempt
        except StorageUnavailable:
            told[name] = "unavailable"
        else:
            told[name] = "kept"
    await desk.run_jobs()
    told["left"] = [path.name for path in Path(folder).rglob("*") if path.is_file()]  # noqa: ASYNC240 — nothing waits.
    told["rows"] = await desk.rows()
    told["small"] = (await desk.add()).size
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    told["again"] = (await desk.add("again.pdf", LARGE, limits=AttachmentLimits())).size
    await desk.storage.put("org/documents/1.pdf", LARGE, content_type="application/pdf")
    told["document_again"] = len(await desk.storage.get("org/documents/1.pdf"))
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_run(sys.argv[1]))))
    sys.stdout.flush()
    # Threads of the storage's client may still be ending what failed, and abort when the interpreter goes away under them.
    os._exit(0)
