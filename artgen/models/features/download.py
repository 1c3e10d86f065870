"""Download of weights over HTTP: streamed to disk, resumed after any interruption, verified by checksum.

Only the standard library, only http and https, and no redirect to anything else. The bytes received so far
are in a ``.part`` file next to the weights, so that a killed process or a cut connection costs nothing; as
every mirror has the same file, the next one resumes where the last stopped. Nothing reads the file before
its SHA-256 has been found to be the published one.
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

from artgen.errors import ArtgenError, report_write_errors
from artgen.events import Emit, WorkProgress, ignore_event
from artgen.hashing import file_hash
from artgen.imaging.io.files import sweep
from artgen.models.features.weight_files import (
    WEIGHTS_FOLDER_VARIABLE,
    PublishedFile,
    WeightsInfo,
    weights_folder,
)
from artgen.version import __version__

if TYPE_CHECKING:
    from artgen.models.features.convert import InstalledWeights

READ_CHUNK_BYTES = 1 << 18
CONNECTION_TIMEOUT_SECONDS = 30.0  # without a byte
MAX_CONNECTIONS_PER_MIRROR = 200  # to one mirror, each of which brought something
MAX_DOWNLOAD_BYTES = 2 << 30
TYPICAL_DOWNLOAD_BYTES = 600_000_000  # assumed of a file of unknown size
SPARE_DISK_BYTES = 100_000_000  # beyond the download: for the converted file, and some reserve
URL_HANDLERS = (
    request.ProxyHandler,
    request.UnknownHandler,
    request.HTTPHandler,
    request.HTTPSHandler,
    request.HTTPDefaultErrorHandler,
    request.HTTPRedirectHandler,
    request.HTTPErrorProcessor,
)
BYTES_PER_MB = 1_000_000


class MirrorError(Exception):
    """A mirror did not give the weights file; the message says why, in a few words."""


def pull_weights(
    weights: WeightsInfo, emit: Emit = ignore_event, *, mirrors: Sequence[str] = ()
) -> InstalledWeights:
    """Download weights and install their feature layers.

    Args:
        weights: some of ``KNOWN_WEIGHTS``.
        emit: receives progress events.
        mirrors: addresses in place of the known ones; they must give the same file all the same.

    Raises:
        ArtgenError: no mirror gave the file; what was received is kept, and the next call resumes.
        WriteError: the disk is full, or the folder not writable.
    """
    name, folder = weights.name, weights_folder()
    import_command = f"artgen models import {name} FILE"
    if not weights.published_files:
        raise ArtgenError(f"pull {name}", "they are not published as one file", "import them", import_command)
    with report_write_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
    reasons: list[str] = []
    for published in weights.published_files:
        urls = published.urls
        if mirrors:
            suffix = Path(published.file_name).suffix
            urls = tuple(url for url in mirrors if _guess_suffix(url, weights.published_files) == suffix)
        target = folder / published.file_name
        for url in urls:
            try:
                _download(published, url, target, emit)
            except MirrorError as error:
                reasons.append(f"{urlsplit(url).netloc or url}: {error}")
                continue
            from artgen.models.features.convert import install_weights  # imports torch, which is slow

            installed = install_weights(weights, target, origin=url)
            target.unlink(missing_ok=True)
            return installed
    expected = "what was downloaded is kept, and the same command resumes; or download it by other means"
    raise ArtgenError(f"pull {name}", "; ".join(reasons), expected, import_command)


def _guess_suffix(url: str, published_files: Sequence[PublishedFile]) -> str:
    """Return the suffix of the published file behind an address; the first one's if the address has none."""
    suffixes = [Path(published.file_name).suffix for published in published_files]
    url_suffix = Path(urlsplit(url).path).suffix
    return url_suffix if url_suffix in suffixes else suffixes[0]


def _download(published: PublishedFile, url: str, target: Path, emit: Emit) -> None:
    """Download a weights file from one mirror, verify it and save it as ``target``.

    Raises:
        MirrorError: the mirror does not give the file.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise MirrorError("neither http nor https")
    part = target.with_name(f"{target.name}.part")
    if target.exists():  # a process was killed after the check: it costs little to check again
        target.replace(part)
    has_older_bytes = _file_size(part) > 0  # from another mirror, or another day
    for _ in range(MAX_CONNECTIONS_PER_MIRROR):
        size_before = _file_size(part)
        try:
            _fetch(published, url, part, emit)
        except MirrorError:
            if _file_size(part) > size_before:
                continue
            raise
        emit(WorkProgress(1.0, "checking"))
        if file_hash(part) == published.sha256:
            part.replace(target)
            return
        part.unlink()
        if not has_older_bytes:
            raise MirrorError("gives another file: its checksum is wrong")
        has_older_bytes = False
    raise MirrorError(f"cut the connection {MAX_CONNECTIONS_PER_MIRROR} times")


def _fetch(published: PublishedFile, url: str, part: Path, emit: Emit) -> None:
    """Append the missing bytes of a download to ``part``, or start it again where the server has no ranges.

    Raises:
        MirrorError: the mirror does not give the file, or the connection was cut.
        ArtgenError: there is not enough disk space.
        WriteError: the disk is full.
    """
    received = _file_size(part)
    if received == published.size_bytes:
        return
    if received > (published.size_bytes or MAX_DOWNLOAD_BYTES):
        part.unlink()
        received = 0
    _check_disk_space(part, (published.size_bytes or TYPICAL_DOWNLOAD_BYTES) - received)
    http_request = request.Request(url, headers={"User-Agent": f"artgen/{__version__}"})
    if received:
        http_request.add_header("Range", f"bytes={received}-")
    opener = request.OpenerDirector()
    for handler_class in URL_HANDLERS:
        opener.add_handler(handler_class())
    try:
        response = opener.open(http_request, timeout=CONNECTION_TIMEOUT_SECONDS)
    except HTTPError as error:
        # 416: there are no more bytes; the checksum decides whether the file is complete.
        if error.code == 416 and received and published.size_bytes is None:
            return
        raise MirrorError(f"answers {error.code} {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise MirrorError(_error_reason(error)) from None
    with response:
        start, total = _byte_range(response, received)
        if published.size_bytes is not None and total not in (None, published.size_bytes):
            raise MirrorError(f"gives another file, of {total} bytes")
        _save_body(response, part, start, published.size_bytes or total, emit, urlsplit(url).netloc)


def _byte_range(response: Any, received: int) -> tuple[int, int | None]:
    """Return where a download's body starts in the file, and the file's size if the headers tell it.

    Raises:
        MirrorError: the response is a web page, or not the range after the ``received`` bytes.
    """
    length = response.headers.get("Content-Length") or ""
    if response.headers.get_content_type() == "text/html":
        raise MirrorError("gives a web page")
    if response.status == 200:
        return 0, int(length) if length.isdecimal() else None
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range") or "")
    if response.status != 206 or match is None or int(match[1]) != received:
        raise MirrorError(f"answers with something else ({response.status})")
    return received, int(match[2]) if match[2] != "*" else None


def _save_body(response: Any, part: Path, start: int, total: int | None, emit: Emit, host: str) -> None:
    """Append the body of a download to ``part``, or replace it where the body starts at byte 0.

    Raises:
        MirrorError: the body is longer or shorter than the file.
        WriteError: the disk is full.
    """
    written, max_bytes = start, total or MAX_DOWNLOAD_BYTES
    with report_write_errors(part), part.open("ab" if start else "wb") as file:
        while chunk := _read_chunk(response):
            written += len(chunk)
            if written > max_bytes:
                break
            file.write(chunk)
            written_mb, max_mb = written / BYTES_PER_MB, max_bytes / BYTES_PER_MB
            emit(WorkProgress(written / max_bytes, f"{written_mb:.0f} of {max_mb:.0f} MB from {host}"))
    if written > max_bytes:
        part.unlink()
        raise MirrorError("gives more than the file")
    if total is not None and written < total:
        written_mb, total_mb = written / BYTES_PER_MB, total / BYTES_PER_MB
        raise MirrorError(f"cut the connection at {written_mb:.0f} of {total_mb:.0f} MB")


def _read_chunk(response: Any) -> bytes:
    try:
        chunk: bytes = response.read1(READ_CHUNK_BYTES)
    except (OSError, HTTPException) as error:
        raise MirrorError(_error_reason(error)) from None
    return chunk


def _error_reason(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def _file_size(part: Path) -> int:
    """Return the size of a partly downloaded file in bytes; 0 where there is none."""
    return part.stat().st_size if part.is_file() else 0


def _check_disk_space(part: Path, missing_bytes: int) -> None:
    """Require enough disk space for the weights to download and the converted file.

    Raises:
        ArtgenError: there is too little.
    """
    free_bytes = shutil.disk_usage(part.parent).free
    required_bytes = missing_bytes + SPARE_DISK_BYTES
    if free_bytes < required_bytes:
        free_mb, required_mb = free_bytes / BYTES_PER_MB, required_bytes / BYTES_PER_MB
        raise ArtgenError(
            str(part.parent),
            f"{free_mb:.0f} MB are free there, {required_mb:.0f} are needed",
            f"make room, or name another folder in {WEIGHTS_FOLDER_VARIABLE}",
        )
