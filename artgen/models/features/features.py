"""Networks whose features tell content and style, by what a weights file holds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from artgen.models.features.squeezenet import SqueezeNet, load_squeezenet
from artgen.models.features.vgg import VGG, load_vgg
from artgen.models.files.pickle_reader import read_table

Features = VGG | SqueezeNet


def load_features(path: Path, preprocessing: str = "auto") -> Features:
    """VGG-16, VGG-19 (normalised, too) or SqueezeNet 1.0, whichever the file holds.

    Args:
        path: a weights file.
        preprocessing: of VGG, see ``load_vgg``.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is neither.
    """
    try:
        stat = path.stat()
    except OSError:  # said as for any file that cannot be read
        stat = None
    return _loaded(path, preprocessing, stat and (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=1)  # for the candidates of a run and the frames of a film
def _loaded(path: Path, preprocessing: str, stamp: tuple[int, int] | None) -> Features:
    if "fire2.squeeze.weight" in read_table(path).weights:
        return load_squeezenet(path)
    return load_vgg(path, preprocessing)
