"""Which files are taken, and whether a file's bytes are what its name and its sender say.

The signatures are those of each format's own specification. What a browser or an office program would run is refused:
HTML, SVG, scripts, executables, macros, archives.
"""

import codecs
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from src.domain.documents.file_names import extension_of
from src.domain.shared.errors import Invalid, invalid_field

UNKNOWN: Final = "application/octet-stream"
HEAD: Final = 4096  # Bytes.
# A ZIP says at its end what is in it; this much holds the names of some thousand parts.
TAIL: Final = 256 * 1024


class FileTypeRefused(Invalid):
    """A type that is not taken, or a content that is something else than it is said to be.

    *found* is the extension or media type that was met, *allowed* what would do instead, *media_type* what the name says.
    """

    code = "file_type_refused"


class FileTooLarge(Invalid):
    code = "file_too_large"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """One type that is taken. *begins* knows its first bytes; *is_whole* looks at its end, too, given the size in bytes."""

    media_type: str
    extensions: tuple[str, ...]
    begins: Callable[[bytes], bool]
    is_whole: Callable[[bytes, int], bool] = lambda _, __: True
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """*size* in bytes; *sha256* in hexadecimal digits."""

    size: int
    sha256: str


class ContentCheck:
    """Given a file piece by piece, counts and hashes it, and says as soon as it can that it is not what it should be.

    Keeps its first HEAD and last TAIL bytes, and nothing in between.
    """

    def __init__(self, file_type: FileType, largest: int) -> None:
        self._type, self._largest = file_type, largest
        self._hash, self._size = sha256(), 0
        self._head, self._tail = b"", b""
        self._begun = False
        self._text = codecs.getincrementaldecoder("utf-8")()

    def feed(self, piece: bytes) -> None:
        """Raises FileTooLarge, FileTypeRefused."""
        self._size += len(piece)
        check_size(self._size, self._largest)
        self._hash.update(piece)
        if len(self._head) < HEAD:
            self._head += piece[: HEAD - len(self._head)]
        self._tail = (self._tail + piece)[-TAIL:] if len(piece) < TAIL else piece[-TAIL:]
        if self._type.is_text:
            self._check_text(piece)
        if len(self._head) == HEAD:
            self._check_head()

    def done(self) -> Content:
        """Raises FileTypeRefused, Invalid for an empty file."""
        if not self._size:
            raise invalid_field("body", "The file is empty.")
        self._check_head()
        if self._type.is_text:
            self._check_text(b"", final=True)
        if not self._type.is_whole(self._tail, self._size):
            raise self._refused()
        return Content(self._size, self._hash.hexdigest())

    def _check_head(self) -> None:
        if not self._begun and not self._type.begins(self._head):
            raise self._refused()
        self._begun = True

    def _check_text(self, piece: bytes, *, final: bool = False) -> None:
        try:
            text = self._text.decode(piece, final)
        except UnicodeDecodeError:
            raise self._refused() from None
        if _CONTROLS.search(text):
            raise self._refused()

    def _refused(self) -> FileTypeRefused:
        named, found = self._type.media_type, _found_in(self._head)
        looks = f"; it begins like {found}" if found not in {named, UNKNOWN} else ""
        return FileTypeRefused(
            f"The content of this file is not what its name says: {named}{looks}. {_taken()}",
            media_type=named,
            found=found,
            allowed=sorted(_BY_EXTENSION),
        )


def check_size(size: int, largest: int) -> None:
    """Raises FileTooLarge."""
    if size > largest:
        raise FileTooLarge(f"A file may have {largest:,} bytes at most.", limit=largest)


def type_of(file_name: str, declared: str) -> FileType:
    """The type that the name says, and the sender does not contradict.

    *declared* is a media type; an empty one and ``application/octet-stream`` say nothing. Raises FileTypeRefused.
    """
    extension = extension_of(file_name).lower()
    named = _BY_EXTENSION.get(extension)
    if named is None:
        what = f"Files that end in {extension}" if extension else "Files without an extension"
        raise FileTypeRefused(f"{what} are not taken. {_taken()}", found=extension, allowed=sorted(_BY_EXTENSION))
    said = declared.partition(";")[0].strip().lower()[:100]
    if said not in {"", UNKNOWN, named.media_type}:
        raise FileTypeRefused(
            f"By its name this file is {named.media_type}; its Content-Type says {said}. Send the first, or none.",
            media_type=named.media_type,
            found=said,
            allowed=sorted({UNKNOWN, named.media_type}),
        )
    return named


def _found_in(head: bytes) -> str:
    """The media type whose signature *head* has; UNKNOWN for text, and for what no single type begins with."""
    found = [one.media_type for one in FILE_TYPES if not one.is_text and one.begins(head)]
    return found[0] if len(found) == 1 else UNKNOWN


def _taken() -> str:
    return f"Taken are {', '.join(sorted(_BY_EXTENSION))}."


# All of Unicode's category Cc but tab, line feed, form feed and carriage return.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")


def _one_of(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


def _is_webp(head: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_plain_text(head: bytes) -> bool:
    """Neither markup nor a script, whatever the browser or shell."""
    return not head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"<", b"#!"))


_ARCHIVE: Final = b"PK\x03\x04"


def _ooxml(folder: str) -> Callable[[bytes, int], bool]:
    """ECMA-376 part 2: a ZIP with [Content_Types].xml; the parts of one program lie in one folder."""

    def is_whole(tail: bytes, size: int) -> bool:
        names = _names(tail, size)
        folders = {name.partition("/")[0] for name in names} & {"word", "xl", "ppt"}
        return "[content_types].xml" in names and folders == {folder} and not any(map(_runs, names))

    return is_whole


def _runs(name: str) -> bool:
    """Whether it is a part that a program would run: Visual Basic, Excel 4 macros, ActiveX, OpenDocument's scripts."""
    parts = name.split("/")
    return (
        parts[-1].startswith("vbaproject")
        or parts[-1] == "workbook.bin"
        or not {"macrosheets", "dialogsheets", "activex"}.isdisjoint(parts)
        or parts[0] in {"basic", "scripts"}
    )


def _open_document(media_type: str) -> Callable[[bytes], bool]:
    """OpenDocument 1.3 part 2 §3.3: the first file of the ZIP is called mimetype, is not compressed, and says the type."""
    said = b"mimetype" + media_type.encode() + b"PK"
    return lambda head: head.startswith(_ARCHIVE) and head[30 : 30 + len(said)] == said


def _runs_nothing(tail: bytes, size: int) -> bool:
    names = _names(tail, size)
    return "meta-inf/manifest.xml" in names and not any(map(_runs, names))


def _names(tail: bytes, size: int) -> frozenset[str]:
    """The names in a ZIP, small, from its directory; none when that is broken or does not lie in *tail*."""
    try:
        with zipfile.ZipFile(_Ending(tail, size)) as archive:
            return frozenset(name.lower() for name in archive.namelist())
    # Broken; its directory before what is known, or names in no encoding; of a version that Python does not read.
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return frozenset()


class _Ending(io.BytesIO):
    """A file of *size* bytes of which only the last ones are known. Reading before them raises ValueError."""

    def __init__(self, tail: bytes, size: int) -> None:
        super().__init__(tail)
        self._missing = size - len(tail)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        if whence == io.SEEK_SET:
            offset -= self._missing  # Negative for what is not known any more.
        return super().seek(offset, whence) + self._missing

    def tell(self) -> int:
        return super().tell() + self._missing


def _office(program: str, extension: str, folder: str) -> FileType:
    return FileType(
        media_type=f"application/vnd.openxmlformats-officedocument.{program}",
        extensions=(extension,),
        begins=_one_of(_ARCHIVE),
        is_whole=_ooxml(folder),
    )


def _odf(program: str, extension: str) -> FileType:
    media_type = f"application/vnd.oasis.opendocument.{program}"
    return FileType(
        media_type=media_type, extensions=(extension,), begins=_open_document(media_type), is_whole=_runs_nothing
    )


FILE_TYPES: Final = (
    FileType(media_type="application/pdf", extensions=(".pdf",), begins=_one_of(b"%PDF-")),
    FileType(media_type="image/png", extensions=(".png",), begins=_one_of(b"\x89PNG\r\n\x1a\n")),
    FileType(media_type="image/jpeg", extensions=(".jpg", ".jpeg"), begins=_one_of(b"\xff\xd8\xff")),
    FileType(media_type="image/gif", extensions=(".gif",), begins=_one_of(b"GIF87a", b"GIF89a")),
    FileType(media_type="image/webp", extensions=(".webp",), begins=_is_webp),
    FileType(media_type="image/tiff", extensions=(".tif", ".tiff"), begins=_one_of(b"II*\0", b"MM\0*")),
    FileType(media_type="text/plain", extensions=(".txt",), begins=_is_plain_text, is_text=True),
    FileType(media_type="text/csv", extensions=(".csv",), begins=_is_plain_text, is_text=True),
    _office("wordprocessingml.document", ".docx", "word"),
    _office("spreadsheetml.sheet", ".xlsx", "xl"),
    _office("presentationml.presentation", ".pptx", "ppt"),
    _odf("text", ".odt"),
    _odf("spreadsheet", ".ods"),
    _odf("presentation", ".odp"),
)
_BY_EXTENSION: Final = {extension: one for one in FILE_TYPES for extension in one.extensions}
