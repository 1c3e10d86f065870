"""Weights fetched over HTTP: streamed to disk, gone on with after anything, believed by their checksum alone.

Only the standard library, only http and https, and no redirect to anything else. What has come lies in a
``.part`` beside the weights, so that a killed process or a cut connection costs nothing; as every mirror has
the same file, the next one goes on where the last stopped. Nothing reads the file before SHA-256 over all of
it is the published one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib import request
from urllib.error import HTTPError
from urllib.parse import urlsplit

from artgen import __version__
from artgen.errors import ArtgenError, WriteError
from artgen.events import Emit, WorkProgress, ignore
from artgen.hashing import file_hash
from artgen.imaging.io.files import sweep
from artgen.models.features.weight_files import PLACE, Source, known, place

if TYPE_CHECKING:
    from artgen.models.features.convert import Adopted

CHUNK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
TURNS = 200  # connections to one mirror that each brought something
LARGEST = 2 << 30
TYPICAL = 600_000_000  # bytes of a file whose size nobody has said
SPARE = 100_000_000  # bytes beside it: our file, and some air
HANDLERS = (
    request.ProxyHandler,
    request.UnknownHandler,
    request.HTTPHandler,
    request.HTTPSHandler,
    request.HTTPDefaultErrorHandler,
    request.HTTPRedirectHandler,
    request.HTTPErrorProcessor,
)
MB = 1_000_000


class Refused(Exception):
    """Why a mirror did not give the file, in a few words."""


def pull(name: str, emit: Emit = ignore, *, mirrors: Sequence[str] = ()) -> Adopted:
    """Fetch the weights ``name``, and keep their features.

    Args:
        name: ``vgg19``.
        emit: told the progress.
        mirrors: addresses in place of the known ones; what they give must be the same file all the same.

    Raises:
        ArtgenError: no mirror gave the file; what has come is kept, and the next call goes on from there.
        WriteError: the disk is full, or the folder not writable.
    """
    weights, folder = known(name), place()
    by_hand = f"artgen models import {name} FILE"
    if not weights.sources:
        raise ArtgenError(f"pull {name}", "nobody is known to give them as one file", "import them", by_hand)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
    except OSError as error:
        raise WriteError(folder, error.strerror or str(error)) from error
    reasons: list[str] = []
    for source in weights.sources:
        urls = source.urls
        if mirrors:
            ending = Path(source.file).suffix
            urls = tuple(url for url in mirrors if _ending(url, weights.sources) == ending)
        whole = folder / source.file
        for url in urls:
            try:
                _download(source, url, whole, emit)
            except Refused as refused:
                reasons.append(f"{urlsplit(url).netloc or url}: {refused}")
                continue
            from artgen.models.features.convert import adopt  # torch: not before it is needed

            adopted = adopt(name, whole, origin=url)
            whole.unlink(missing_ok=True)
            return adopted
    right = "what has come is kept, and the same command goes on from there; or fetch it by other means"
    raise ArtgenError(f"pull {name}", "; ".join(reasons), right, by_hand)


def _ending(url: str, sources: Sequence[Source]) -> str:
    """Of the published file that an address seems to mean: the first where its name does not tell."""
    endings = [Path(source.file).suffix for source in sources]
    own = Path(urlsplit(url).path).suffix
    return own if own in endings else endings[0]


def _download(source: Source, url: str, whole: Path, emit: Emit) -> None:
    """``source`` from one mirror, checked, as the file ``whole``.

    Raises:
        Refused: it does not give it.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise Refused("neither http nor https")
    part = whole.with_name(f"{whole.name}.part")
    if whole.exists():  # killed after the check: it costs little to check again
        whole.replace(part)
    others = _size(part) > 0  # bytes from another mirror, or another day
    for _ in range(TURNS):
        before = _size(part)
        try:
            _fetch(source, url, part, emit)
        except Refused:
            if _size(part) > before:
                continue
            raise
        emit(WorkProgress(1.0, "checking"))
        if file_hash(part) == source.sha256:
            part.replace(whole)
            return
        part.unlink()
        if not others:
            raise Refused("gives another file: its checksum is wrong")
        others = False
    raise Refused(f"cut the connection {TURNS} times")


def _fetch(source: Source, url: str, part: Path, emit: Emit) -> None:
    """Append to ``part`` what it lacks, or begin again where the server knows no ranges."""
    have = _size(part)
    if have == source.size:
        return
    if have > (source.size or LARGEST):
        part.unlink()
        have = 0
    _make_room(part, (source.size or TYPICAL) - have)
    asked = request.Request(url, headers={"User-Agent": f"artgen/{__version__}"})
    if have:
        asked.add_header("Range", f"bytes={have}-")
    opener = request.OpenerDirector()
    for handler in HANDLERS:
        opener.add_handler(handler())
    try:
        response = opener.open(asked, timeout=TIMEOUT)
    except HTTPError as error:
        # There is no more of it: the checksum tells whether that is all.
        if error.code == 416 and have and source.size is None:
            return
        raise Refused(f"says {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Refused(_reason(error)) from None
    with response:
        begin, end = _span(response, have)
        if source.size is not None and end not in (None, source.size):
            raise Refused(f"gives another file, of {end} bytes")
        _stream(response, part, begin, source.size or end, emit, urlsplit(url).netloc)


def _span(response: Any, have: int) -> tuple[int, int | None]:
    """Where the answer begins in the file, and where the file ends, if that is said."""
    length = response.headers.get("Content-Length") or ""
    if response.headers.get_content_type() == "text/html":
        raise Refused("gives a web page")
    if response.status == 200:
        return 0, int(length) if length.isdecimal() else None
    ranged = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range") or "")
    if response.status != 206 or ranged is None or int(ranged[1]) != have:
        raise Refused(f"answers with something else ({response.status})")
    return have, int(ranged[2]) if ranged[2] != "*" else None


def _stream(response: Any, part: Path, begin: int, end: int | None, emit: Emit, host: str) -> None:
    written, most = begin, end or LARGEST
    try:
        with part.open("ab" if begin else "wb") as file:
            while piece := _read(response):
                written += len(piece)
                if written > most:
                    break
                file.write(piece)
                emit(WorkProgress(written / most, f"{written / MB:.0f} of {most / MB:.0f} MB from {host}"))
    except OSError as error:
        raise WriteError(part, error.strerror or str(error)) from error
    if written > most:
        part.unlink()
        raise Refused("gives more than the file")
    if end is not None and written < end:
        raise Refused(f"cut the connection at {written / MB:.0f} of {end / MB:.0f} MB")


def _read(response: Any) -> bytes:
    try:
        piece: bytes = response.read1(CHUNK)
    except (OSError, HTTPException) as error:
        raise Refused(_reason(error)) from None
    return piece


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _make_room(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if free < needed + SPARE:
        found = f"{free / MB:.0f} MB are free there, {(needed + SPARE) / MB:.0f} are needed"
        raise ArtgenError(str(part.parent), found, f"make room, or name another folder in {PLACE}")
