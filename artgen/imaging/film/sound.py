"""The sound of a film, for another film of the same pictures: as it is where MP4 can hold it, else as AAC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.imaging.film.frames import opened
from artgen.imaging.film.writer import load_av

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

# What MP4 holds and players know.
HELD = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})


class Sound:
    """Every audio stream of ``source``, to be muxed into ``target``, whose header is not yet written.

    Args:
        source: the film that has the sound.
        target: an MP4 that is open for writing.
        told: takes a sentence about each stream that cannot be kept.
    """

    def __init__(self, source: Path, target: OutputContainer, told: Callable[[str], None]) -> None:
        self._av, self._source, self._told = load_av(), source, told
        self._out: dict[int, tuple[AudioStream, bool]] = {}
        with opened(source) as (container, _):
            for stream in container.streams.audio:
                held = stream.codec_context is not None and stream.codec_context.name in HELD
                try:
                    self._out[stream.index] = (self._added(target, stream, held), held)
                except (self._av.FFmpegError, ValueError, AttributeError) as error:
                    told(f"{source}: sound of track {stream.index} cannot be kept ({error})")

    @property
    def tracks(self) -> int:
        """How many there are."""
        return len(self._out)

    @staticmethod
    def _added(target: OutputContainer, stream: AudioStream, held: bool) -> AudioStream:
        if held:
            return target.add_stream_from_template(stream)
        made = target.add_stream("aac", rate=stream.rate)
        made.layout = stream.layout.name
        return made

    def packets(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Packets in the order of their times, in seconds since the first frame. Read once, in small pieces.

        What is damaged is left out and told.
        """
        if not self._out:
            return
        with opened(self._source) as (container, film):
            first = Fraction(film.start_time or 0) * (film.time_base or 0)
            wanted = [stream for stream in container.streams.audio if stream.index in self._out]
            packets = container.demux(wanted)
            while True:
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                    yield from self._taken(packet, first)
                except self._av.FFmpegError as error:
                    self._told(f"{self._source}: damaged sound is left out ({error.strerror})")
                    if not isinstance(error, self._av.InvalidDataError):
                        return

    def _taken(self, packet: Packet[Any], first: Fraction) -> Iterator[tuple[Fraction, Packet[Any]]]:
        stream: Any = packet.stream
        made, held = self._out[stream.index]
        base = packet.time_base
        if held:
            if packet.dts is None or base is None:  # the end
                return
            shift = round(first / base)
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = made
            yield packet.dts * base, packet
            return
        for frame in stream.decode(packet):
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(first / frame.time_base)
            for encoded in made.encode(frame):
                yield _when(encoded), encoded
        if packet.size == 0:  # the end: what the encoder still holds
            for encoded in made.encode(None):
                yield _when(encoded), encoded


def _when(packet: Packet[Any]) -> Fraction:
    return Fraction(packet.dts or 0) * (packet.time_base or 0)
