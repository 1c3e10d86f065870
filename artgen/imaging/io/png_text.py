"""The text a PNG carries, read without decoding its pixels. The file is not trusted."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from artgen.errors import ArtgenError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 4 << 20  # bytes of text in one file, after decompression


def read_text(path: Path) -> dict[str, str]:
    """Every text chunk (``tEXt``, ``zTXt``, ``iTXt``) of a PNG by keyword; the first of a keyword counts.

    Raises:
        ArtgenError: no PNG, truncated, a damaged chunk, or more than 4 MiB of text once decompressed.
    """
    text: dict[str, str] = {}
    left = MAX_TEXT
    try:
        with path.open("rb") as file:
            for kind, data in _text_chunks(file):
                keyword, value = _decode(kind, data, left)
                left -= len(value)
                text.setdefault(keyword, value)
    except OSError as error:
        raise ArtgenError(str(path), f"cannot be read ({error.strerror or error})") from error
    except (ValueError, zlib.error) as error:
        raise ArtgenError(str(path), f"no readable PNG ({error})", "give a whole .png file") from error
    return text


def _text_chunks(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    if file.read(8) != SIGNATURE:
        raise ValueError("it does not begin like one")
    while True:
        head = file.read(8)
        if len(head) < 8:
            raise ValueError("it ends too early")
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IEND":
            return
        if kind not in (b"tEXt", b"zTXt", b"iTXt"):
            file.seek(length + 4, 1)
            continue
        if length > MAX_TEXT:
            raise ValueError("too much text in it")
        data, check = file.read(length), file.read(4)
        if len(check) < 4 or zlib.crc32(kind + data) != int.from_bytes(check, "big"):
            raise ValueError(f"its {kind.decode()} chunk is damaged")
        yield kind, data


def _decode(kind: bytes, data: bytes, limit: int) -> tuple[str, str]:
    name, zero, rest = data.partition(b"\0")
    if not zero or not 0 < len(name) < 80:
        raise ValueError("a text chunk without keyword")
    keyword = name.decode("latin-1")
    if kind == b"tEXt":
        return keyword, _bounded(rest, False, limit).decode("latin-1")
    if kind == b"zTXt":
        return keyword, _bounded(rest[1:], True, limit).decode("latin-1")
    packed, rest = bool(rest[:1].strip(b"\0")), rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, rest = rest.partition(b"\0")
    return keyword, _bounded(rest, packed, limit).decode("utf-8")


def _bounded(data: bytes, packed: bool, limit: int) -> bytes:
    if packed:
        inflate = zlib.decompressobj()
        data = inflate.decompress(data, limit + 1)
    if len(data) > limit:
        raise ValueError("too much text in it")
    return data


def read_size(path: Path) -> tuple[int, int]:
    """Width and height that a PNG's header states.

    Raises:
        ArtgenError: no PNG.
    """
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError as error:
        raise ArtgenError(str(path), f"cannot be read ({error.strerror or error})") from error
    if len(head) < 24 or not head.startswith(SIGNATURE):
        raise ArtgenError(str(path), "no PNG", "give a whole .png file")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
