"""Signed links over HTTP: whoever has one downloads one file."""

from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.params import FromPath
from litestar.response import Stream

from src.application.documents.open_download import OpenDownload, link_refused
from src.application.ports.storage import ObjectMissing
from src.domain.identity.actor import Origin
from src.entrypoints.http.downloads.answers import FILE_RESPONSE, file_answer
from src.entrypoints.http.problems import FILE_MISSING
from src.entrypoints.http.requests import report


class DownloadController(Controller):
    path = "/api/v1/downloads"
    tags = ("downloads",)

    @get("/{token:str}", responses=FILE_RESPONSE, open_to_all=True)
    async def open_download(
        self, token: FromPath[str], origin: FromDishka[Origin], open_download: FromDishka[OpenDownload]
    ) -> Stream:
        """The file that a signed link names; 404 for a link that is wrong, has expired or has been ended."""
        try:
            return await file_answer(await open_download(token, origin))
        except ObjectMissing as error:  # Whoever carries a link learns no more than from a wrong one.
            report(FILE_MISSING, error, origin.trace_id)
            raise link_refused() from None
