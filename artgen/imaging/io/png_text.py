"""Text chunks and header of a PNG, read without decoding its pixels. The file is not trusted."""

from __future__ import annotations

import io
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
MAX_PROFILE_BYTES = 16 << 20
# Of a chunk of text for Pillow, which decompresses it: zlib makes at most a thousand times as much of it.
MAX_PLAIN_TEXT_BYTES, MAX_COMPRESSED_TEXT_BYTES = 16 << 20, 8 << 10
MAX_TEXT_BYTES = 4 << 20  # bytes of text in one file, after decompression
_limit_lock = threading.Lock()
_earlier_limits: list[int] = []  # Pillow's own, then one for each further block that has begun


def read_text(path: Path) -> dict[str, str]:
    """Read all text chunks (``tEXt``, ``zTXt``, ``iTXt``) of a PNG by keyword; the first of a keyword counts.

    Raises:
        ArtgenError: the file is no PNG, truncated or damaged, or has more than 4 MiB of decompressed text.
    """
    text: dict[str, str] = {}
    remaining_bytes = MAX_TEXT_BYTES
    try:
        with path.open("rb") as file:
            for kind, data in _read_text_chunks(file):
                keyword, value = _decode_text_chunk(kind, data, remaining_bytes)
                remaining_bytes -= len(value)
                text.setdefault(keyword, value)
    except OSError as error:
        raise ArtgenError(str(path), f"cannot be read ({error.strerror or error})") from error
    except (ValueError, zlib.error) as error:
        raise ArtgenError(str(path), f"no readable PNG ({error})", "give a whole .png file") from error
    return text


def _read_text_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    if file.read(8) != PNG_SIGNATURE:
        raise ValueError("it does not begin like one")
    while True:
        header = file.read(8)
        if len(header) < 8:
            raise ValueError("it ends too early")
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if kind == b"IEND":
            return
        if kind not in TEXT_CHUNKS:
            file.seek(length + 4, 1)
            continue
        if length > MAX_TEXT_BYTES:
            raise ValueError("too much text in it")
        data, checksum = file.read(length), file.read(4)
        if len(checksum) < 4 or zlib.crc32(kind + data) != int.from_bytes(checksum, "big"):
            raise ValueError(f"its {kind.decode()} chunk is damaged")
        yield kind, data


def _decode_text_chunk(kind: bytes, data: bytes, max_bytes: int) -> tuple[str, str]:
    keyword_bytes, separator, content = data.partition(b"\0")
    if not separator or not 0 < len(keyword_bytes) < 80:
        raise ValueError("a text chunk without keyword")
    keyword = keyword_bytes.decode("latin-1")
    if kind == b"tEXt":
        return keyword, _decompress_within(content, False, max_bytes).decode("latin-1")
    if kind == b"zTXt":
        return keyword, _decompress_within(content[1:], True, max_bytes).decode("latin-1")
    is_compressed, content = bool(content[:1].strip(b"\0")), content[2:]
    _language, _, content = content.partition(b"\0")
    _translated_keyword, _, content = content.partition(b"\0")
    return keyword, _decompress_within(content, is_compressed, max_bytes).decode("utf-8")


def _decompress_within(data: bytes, is_compressed: bool, max_bytes: int) -> bytes:
    if is_compressed:
        decompressor = zlib.decompressobj()
        data = decompressor.decompress(data, max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError("too much text in it")
    return data


def read_png_size(path: Path) -> tuple[int, int]:
    """Read the width and height from a PNG's header.

    Raises:
        ArtgenError: the file is no PNG.
    """
    try:
        with path.open("rb") as file:
            header = file.read(24)
    except OSError as error:
        raise ArtgenError(str(path), f"cannot be read ({error.strerror or error})") from error
    if len(header) < 24 or not header.startswith(PNG_SIGNATURE):
        raise ArtgenError(str(path), "no PNG", "give a whole .png file")
    return int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")


@contextmanager
def large_profiles_allowed() -> Iterator[None]:
    """Let Pillow read compressed profiles up to ``MAX_PROFILE_BYTES`` inside the ``with`` block, not 1 MiB.

    Pillow's limit is global; it is restored when the last of several blocks, also in threads, has ended.
    """
    from PIL import PngImagePlugin

    with _limit_lock:
        _earlier_limits.append(PngImagePlugin.MAX_TEXT_CHUNK)
        PngImagePlugin.MAX_TEXT_CHUNK = max(MAX_PROFILE_BYTES, _earlier_limits[0])
    try:
        yield
    finally:
        with _limit_lock:
            limit = _earlier_limits.pop()
            if not _earlier_limits:
                PngImagePlugin.MAX_TEXT_CHUNK = limit


def open_without_texts(path: Path) -> BinaryIO | None:
    """Open a PNG without its text chunks, where these are larger than Pillow accepts.

    Programs keep whole workflows in them. Its colour profile stays up to ``MAX_PROFILE_BYTES``.

    Returns:
        A copy in memory; None for a file that can be read as it is, or that is no PNG.
    """
    with path.open("rb") as file:
        if file.read(8) != PNG_SIGNATURE:
            return None
        chunks, plain_bytes, compressed_bytes = [], 0, 0
        while len(header := file.read(8)) == 8 and header[4:] != b"IEND":
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            chunks.append((file.tell() - 8, length + 12, kind))
            plain_bytes += length if kind == b"tEXt" else 0
            compressed_bytes += length if kind in (b"zTXt", b"iTXt") else 0
            file.seek(length + 4, 1)
        if plain_bytes <= MAX_PLAIN_TEXT_BYTES and compressed_bytes <= MAX_COMPRESSED_TEXT_BYTES:
            return None
        copy = io.BytesIO(PNG_SIGNATURE)
        copy.seek(0, io.SEEK_END)
        for position, size, kind in chunks:
            if kind not in TEXT_CHUNKS:
                file.seek(position)
                copy.write(file.read(size))
    copy.write(b"\0\0\0\0IEND\xaeB`\x82")
    copy.seek(0)
    return copy
