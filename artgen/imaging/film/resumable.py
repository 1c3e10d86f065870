"""A film written frame by frame, whose finished frames on disk survive any interruption.

A hidden folder next to the film holds frames as PNG. Every ``FRAMES_PER_SEGMENT`` of them are encoded as a
segment of film, so that the folder stays small. At the end the segments are joined without encoding them
again, with the times and the sound of a source film.
"""

from __future__ import annotations

import glob
import heapq
import shutil
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.errors import ArtgenError, WriteError, report_write_errors
from artgen.imaging.film.sound import AudioCopier
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.io.files import put, read_image, sweep, temporary_for, write_png

if TYPE_CHECKING:
    from av.packet import Packet
    from torch import Tensor

FRAMES_PER_SEGMENT = 48
# Frames of segments are only numbered; their times are set when the segments are joined.
SEGMENT_FPS = 24


class ResumableFilm:
    """The film ``output`` as a growing sequence of finished frames, all of one size.

    Args:
        output: the film to write; its folder exists.
        key: names everything that decides the pixels; frames with another key are not used.

    Raises:
        WriteError: the folder cannot be made.
        ArtgenError: ``output`` is a device.
    """

    def __init__(self, output: Path, key: str) -> None:
        temporary_for(output)
        self.output, self.folder = output, output.with_name(f".{output.name}-{key[:12]}")
        with report_write_errors(self.folder):
            self.folder.mkdir(exist_ok=True)
        self.frame_count = self._segment_count = 0

    def resume(self) -> None:
        """Count the finished frames on disk; remove files that cannot be used.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        sweep(self.folder)
        self._last_segment_path.unlink(missing_ok=True)
        self.frame_count = self._segment_count = 0
        while self._segment_path(self._segment_count).is_file():
            self._segment_count += 1
        self.frame_count = self._segment_count * FRAMES_PER_SEGMENT
        if self.frame_count and not self._frame_path(self.frame_count - 1).is_file():  # removed by hand
            self._delete_frames()
        while self._frame_path(self.frame_count).is_file():
            self.frame_count += 1
            self._encode_full_segment()

    def read_last_frame(self) -> Tensor:
        """Read the last finished frame, ``(3, H, W)``; there is at least one."""
        return read_image(self._frame_path(self.frame_count - 1))

    def add_frame(self, image: Tensor) -> None:
        """Write the next frame, ``(3, H, W)`` in [0, 1], to disk.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        write_png(self._frame_path(self.frame_count), image, {})
        self.frame_count += 1
        self._encode_full_segment()

    def remove_folder_if_empty(self) -> None:
        """Remove the folder if it holds no frame, not even one that is not counted."""
        if self.frame_count == 0 and not [*self.folder.glob("*.png"), *self._list_segments()]:
            shutil.rmtree(self.folder, ignore_errors=True)

    def list_other_folders(self) -> list[Path]:
        """List the folders with frames of the same film for other keys."""
        folders = self.output.parent.glob(f".{glob.escape(self.output.name)}-*")
        return sorted(folder for folder in folders if folder.is_dir() and folder != self.folder)

    def finish(
        self,
        times: Sequence[int],
        ticks_per_second: int,
        source: Path,
        report: Callable[[str], None] = lambda message: None,
    ) -> int:
        """Write the film, remove the folder and return the number of sound tracks.

        Args:
            times: when each frame is shown, in ticks since the first.
            ticks_per_second: unit of ``times``.
            source: the film whose sound is copied.
            report: called with a message about sound that cannot be kept.

        Raises:
            ArtgenError: there is no frame, or not one time for each.
            WriteError: the disk is full or the folder not writable; the frames stay on disk.
        """
        if self.frame_count == 0 or len(times) != self.frame_count:
            problem = f"{self.frame_count} frames and {len(times)} times"
            raise ArtgenError(str(self.output), problem, "as many of both, and at least one")
        if remaining := self.frame_count - self._segment_count * FRAMES_PER_SEGMENT:
            self._encode_segment(self._last_segment_path, remaining)
        track_count = self._join_segments(times, ticks_per_second, source, report)
        shutil.rmtree(self.folder, ignore_errors=True)
        return track_count

    def _delete_frames(self) -> None:
        for file in (*self.folder.glob("*.png"), *self._list_segments()):
            file.unlink()
        self.frame_count = self._segment_count = 0

    def _frame_path(self, number: int) -> Path:
        return self.folder / f"{number:06d}.png"

    def _segment_path(self, number: int) -> Path:
        return self.folder / f"piece-{number:05d}.mp4"

    @property
    def _last_segment_path(self) -> Path:
        return self.folder / "piece-rest.mp4"  # sorts after all numbered segments

    def _encode_full_segment(self) -> None:
        """Encode the frames since the last segment if there are enough for another."""
        if self.frame_count - self._segment_count * FRAMES_PER_SEGMENT == FRAMES_PER_SEGMENT:
            self._encode_segment(self._segment_path(self._segment_count), FRAMES_PER_SEGMENT)
            self._segment_count += 1
            first = self.frame_count - FRAMES_PER_SEGMENT
            for number in range(first, self.frame_count - 1):  # the next frame may depend on the last one
                self._frame_path(number).unlink(missing_ok=True)
            self._frame_path(first - 1).unlink(missing_ok=True)

    def _encode_segment(self, path: Path, count: int) -> None:
        """Encode the ``count`` frames since the last segment."""
        first = self._segment_count * FRAMES_PER_SEGMENT
        image = read_image(self._frame_path(first))
        height, width = image.shape[-2:]
        with VideoWriter(path, width, height, SEGMENT_FPS) as segment:
            for number in range(first, first + count):
                segment.add_frame(read_image(self._frame_path(number)))

    def _list_segments(self) -> list[Path]:
        return sorted(self.folder.glob("piece-*.mp4"))

    def _join_segments(
        self, times: Sequence[int], ticks_per_second: int, source: Path, report: Callable[[str], None]
    ) -> int:
        av = load_av()
        temporary = temporary_for(self.output)
        try:
            options = {"movflags": "+faststart"}
            with av.open(str(temporary), "w", format="mp4", options=options) as film:
                with av.open(str(self._list_segments()[0])) as segment:
                    stream = film.add_stream_from_template(segment.streams.video[0])
                stream.time_base = Fraction(1, ticks_per_second)
                sound = AudioCopier(source, film, report)
                sources = (self._read_retimed_packets(stream, times, ticks_per_second), sound.read_packets())
                for _, packet in heapq.merge(*sources, key=lambda timed_packet: timed_packet[0]):
                    film.mux(packet)
            put(temporary, self.output)
        except (OSError, av.FFmpegError) as error:
            raise WriteError(self.output, error.strerror or str(error)) from error
        finally:
            temporary.unlink(missing_ok=True)
        return sound.track_count

    def _read_retimed_packets(
        self, stream: object, times: Sequence[int], ticks_per_second: int
    ) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Yield the segments' packets with the film's times, in the order of decoding."""
        av = load_av()
        last_duration = times[-1] - times[-2] if len(times) > 1 else max(1, ticks_per_second // SEGMENT_FPS)
        segment_start, decoded_count, delay = 0, 0, None
        for path in self._list_segments():
            segment_length = 0
            with av.open(str(path)) as segment:
                for packet in segment.demux(video=0):
                    if packet.pts is None or packet.dts is None:
                        continue
                    shown_index = round(packet.pts * packet.time_base * SEGMENT_FPS)
                    if delay is None:  # frames by which decoding is ahead of showing, equal in all segments
                        delay = shown_index - round(packet.dts * packet.time_base * SEGMENT_FPS)
                    index, decoding_index = segment_start + shown_index, decoded_count - delay
                    packet.pts = times[index]
                    if decoding_index >= 0:
                        packet.dts = times[decoding_index]
                    else:
                        packet.dts = times[0] + decoding_index * last_duration
                    next_time = times[index + 1] if index + 1 < len(times) else times[index] + last_duration
                    packet.duration = next_time - times[index]
                    packet.time_base = Fraction(1, ticks_per_second)
                    packet.stream = stream
                    yield Fraction(packet.dts, ticks_per_second), packet
                    decoded_count, segment_length = decoded_count + 1, segment_length + 1
            segment_start += segment_length
