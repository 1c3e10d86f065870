"""The frames of a film in the making, on disk beside it: what is finished survives whatever happens.

The folder holds PNGs; every ``SEGMENT`` of them become a piece of film, so that it grows as the film does
and not as its pixels do. In the end the pieces are joined as they are, with the source's times and sound.
"""

from __future__ import annotations

import heapq
import shutil
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.film.sound import Sound
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.io.files import put, read_image, sweep, temporary_for, write_png

if TYPE_CHECKING:
    from av.packet import Packet
    from torch import Tensor

SEGMENT = 48
# Pieces count frames; when each is shown is known when they are joined.
RATE = 24


class Reel:
    """The finished frames of ``output``, from the first on, all of one size.

    Args:
        output: the film that will be; its folder exists.
        key: names what decides the pixels: frames made under another are not these.

    Raises:
        WriteError: the folder cannot be made.
        ArtgenError: ``output`` is a device.
    """

    def __init__(self, output: Path, key: str) -> None:
        temporary_for(output)
        self.output, self.folder = output, output.with_name(f".{output.name}-{key[:12]}")
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise WriteError(self.folder, error.strerror or str(error)) from error
        self.frames = self._sealed = 0

    def open(self) -> None:
        """Find what is there already; what cannot be gone on with is removed.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        sweep(self.folder)
        self._rest.unlink(missing_ok=True)
        self.frames = self._sealed = 0
        while self._piece(self._sealed).is_file():
            self._sealed += 1
        self.frames = self._sealed * SEGMENT
        if self.frames and not self._picture(self.frames - 1).is_file():  # by hand, then
            self._forget()
        while self._picture(self.frames).is_file():
            self.frames += 1
            self._seal_when_full()

    def last(self) -> Tensor:
        """The last finished frame, of at least one: ``(3, H, W)``."""
        return read_image(self._picture(self.frames - 1))

    def add(self, image: Tensor) -> None:
        """The next frame, ``(3, H, W)`` in [0, 1]: kept from now on.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        write_png(self._picture(self.frames), image, {})
        self.frames += 1
        self._seal_when_full()

    def leave(self) -> None:
        """Remove the folder if no frame is in it, counted or not."""
        if self.frames == 0 and not [*self.folder.glob("*.png"), *self._pieces()]:
            shutil.rmtree(self.folder, ignore_errors=True)

    def others(self) -> list[Path]:
        """Folders with frames of the same film by other settings, unfinished."""
        beside = self.output.parent.glob(f".{_literal(self.output.name)}-*")
        return sorted(folder for folder in beside if folder.is_dir() and folder != self.folder)

    def finish(
        self, times: Sequence[int], ticks: int, source: Path, told: Callable[[str], None] = lambda text: None
    ) -> int:
        """Write the film and remove the folder; returns how many tracks of sound it has.

        Args:
            times: when each frame is shown, in ticks since the first.
            ticks: in a second.
            source: the film whose sound is taken.
            told: takes a sentence about sound that cannot be kept.

        Raises:
            WriteError: the disk is full or the folder not writable; the frames are kept.
        """
        if self.frames == 0 or len(times) != self.frames:
            found = f"{self.frames} frames and {len(times)} times"
            raise ArtgenError(str(self.output), found, "as many of both, and at least one")
        if rest := self.frames - self._sealed * SEGMENT:
            self._seal(self._rest, rest)
        tracks = self._joined(times, ticks, source, told)
        shutil.rmtree(self.folder, ignore_errors=True)
        return tracks

    def _forget(self) -> None:
        for file in (*self.folder.glob("*.png"), *self._pieces()):
            file.unlink()
        self.frames = self._sealed = 0

    def _picture(self, number: int) -> Path:
        return self.folder / f"{number:06d}.png"

    def _piece(self, number: int) -> Path:
        return self.folder / f"piece-{number:05d}.mp4"

    @property
    def _rest(self) -> Path:
        return self.folder / "piece-rest.mp4"  # after all that are numbered

    def _seal_when_full(self) -> None:
        if self.frames - self._sealed * SEGMENT == SEGMENT:
            self._seal(self._piece(self._sealed), SEGMENT)
            self._sealed += 1
            for number in range(self.frames - SEGMENT, self.frames - 1):  # the last one is still followed
                self._picture(number).unlink(missing_ok=True)
            self._picture(self.frames - SEGMENT - 1).unlink(missing_ok=True)

    def _seal(self, piece: Path, count: int) -> None:
        """Make a piece of the last ``count`` frames."""
        first = self._sealed * SEGMENT
        image = read_image(self._picture(first))
        height, width = image.shape[-2:]
        with VideoWriter(piece, width, height, RATE) as film:
            for number in range(first, first + count):
                film.add(read_image(self._picture(number)))

    def _pieces(self) -> list[Path]:
        return sorted(self.folder.glob("piece-*.mp4"))

    def _joined(self, times: Sequence[int], ticks: int, source: Path, told: Callable[[str], None]) -> int:
        av = load_av()
        temporary = temporary_for(self.output)
        try:
            options = {"movflags": "+faststart"}
            with av.open(str(temporary), "w", format="mp4", options=options) as film:
                with av.open(str(self._pieces()[0])) as piece:
                    pictures = film.add_stream_from_template(piece.streams.video[0])
                pictures.time_base = Fraction(1, ticks)
                sound = Sound(source, film, told)
                streams = (self._packets(pictures, times, ticks), sound.packets())
                for _, packet in heapq.merge(*streams, key=lambda timed: timed[0]):
                    film.mux(packet)
            put(temporary, self.output)
        except (OSError, av.FFmpegError) as error:
            raise WriteError(self.output, error.strerror or str(error)) from error
        finally:
            temporary.unlink(missing_ok=True)
        return sound.tracks

    def _packets(
        self, stream: object, times: Sequence[int], ticks: int
    ) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """The pieces' packets with the film's times. They are decoded in another order than shown."""
        av = load_av()
        usual = times[-1] - times[-2] if len(times) > 1 else max(1, ticks // RATE)
        first, decoded, late = 0, 0, None
        for path in self._pieces():
            shown = 0
            with av.open(str(path)) as piece:
                for packet in piece.demux(video=0):
                    if packet.pts is None or packet.dts is None:
                        continue
                    place = round(packet.pts * packet.time_base * RATE)
                    if late is None:  # how many frames decoding runs ahead of showing, the same in all pieces
                        late = place - round(packet.dts * packet.time_base * RATE)
                    at, before = first + place, decoded - late
                    packet.pts = times[at]
                    packet.dts = times[before] if before >= 0 else times[0] + before * usual
                    following = times[at + 1] if at + 1 < len(times) else times[at] + usual
                    packet.duration, packet.time_base, packet.stream = (
                        following - times[at],
                        Fraction(1, ticks),
                        stream,
                    )
                    yield Fraction(packet.dts, ticks), packet
                    decoded, shown = decoded + 1, shown + 1
            first += shown


def _literal(name: str) -> str:
    """``name`` for a glob: nothing in it is a pattern."""
    import glob

    return glob.escape(name)
