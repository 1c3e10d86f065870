"""Copying a film's sound into an MP4: unchanged if MP4 can hold its codec, otherwise encoded as AAC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artgen.imaging.film.frames import open_film
from artgen.imaging.film.writer import load_av

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

# Audio codecs that MP4 can hold and players support.
MP4_AUDIO_CODECS = frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"})


class AudioCopier:
    """Copier of every audio stream of a film into an MP4 whose header is not yet written.

    Args:
        source: the film with the sound.
        target: an MP4 that is open for writing.
        report: called with a message about each stream or packet that cannot be kept.
    """

    def __init__(self, source: Path, target: OutputContainer, report: Callable[[str], None]) -> None:
        self._av, self._source, self._report = load_av(), source, report
        self._target_streams: dict[int, tuple[AudioStream, bool]] = {}
        with open_film(source) as (container, _):
            for stream in container.streams.audio:
                is_copied = stream.codec_context is not None and stream.codec_context.name in MP4_AUDIO_CODECS
                try:
                    self._target_streams[stream.index] = (
                        self._add_stream(target, stream, is_copied),
                        is_copied,
                    )
                except (self._av.FFmpegError, ValueError, AttributeError) as error:
                    report(f"{source}: sound of track {stream.index} cannot be kept ({error})")

    @property
    def track_count(self) -> int:
        """Number of audio streams that are copied."""
        return len(self._target_streams)

    @staticmethod
    def _add_stream(target: OutputContainer, stream: AudioStream, is_copied: bool) -> AudioStream:
        if is_copied:
            return target.add_stream_from_template(stream)
        encoder = target.add_stream("aac", rate=stream.rate)
        encoder.layout = stream.layout.name
        return encoder

    def read_packets(self) -> Iterator[tuple[Fraction, Packet[Any]]]:
        """Yield a film's audio packets with their times in seconds since the first frame, in order.

        The packets can be read only once. Damaged ones are left out and reported.
        """
        if not self._target_streams:
            return
        with open_film(self._source) as (container, video):
            start = Fraction(video.start_time or 0) * (video.time_base or 0)
            streams = [stream for stream in container.streams.audio if stream.index in self._target_streams]
            packets = container.demux(streams)
            while True:
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                    yield from self._convert_packet(packet, start)
                except self._av.FFmpegError as error:
                    self._report(f"{self._source}: damaged sound is left out ({error.strerror})")
                    if not isinstance(error, self._av.InvalidDataError):
                        return

    def _convert_packet(self, packet: Packet[Any], start: Fraction) -> Iterator[tuple[Fraction, Packet[Any]]]:
        stream: Any = packet.stream
        target_stream, is_copied = self._target_streams[stream.index]
        time_base = packet.time_base
        if is_copied:
            if packet.dts is None or time_base is None:  # the end
                return
            shift = round(start / time_base)
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = target_stream
            yield packet.dts * time_base, packet
            return
        for frame in stream.decode(packet):
            if frame.pts is not None and frame.time_base:
                frame.pts -= round(start / frame.time_base)
            for encoded in target_stream.encode(frame):
                yield _packet_seconds(encoded), encoded
        if packet.size == 0:  # the end: flush the encoder
            for encoded in target_stream.encode(None):
                yield _packet_seconds(encoded), encoded


def _packet_seconds(packet: Packet[Any]) -> Fraction:
    return Fraction(packet.dts or 0) * (packet.time_base or 0)
