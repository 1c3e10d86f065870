"""Loading of the feature network, VGG or SqueezeNet, that a weights file holds."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from artgen.models.features.squeezenet import SqueezeNet, load_squeezenet
from artgen.models.features.vgg import VGG, load_vgg
from artgen.models.files.pickle_reader import read_weights_file

FeatureNetwork = VGG | SqueezeNet


def load_features(path: Path, preprocessing: str = "auto") -> FeatureNetwork:
    """Load VGG-16, VGG-19 (also the normalised one) or SqueezeNet 1.0, whichever the file holds.

    Args:
        path: a weights file.
        preprocessing: of VGG, see ``load_vgg``.

    Raises:
        ArtgenError: the file cannot be read, holds code, or is neither VGG nor SqueezeNet.
    """
    try:
        stat = path.stat()
    except OSError:  # the loader reports it, as for any file that cannot be read
        stat = None
    return _load_cached(path, preprocessing, stat and (stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=1)  # for the candidates of a run and the frames of a film
def _load_cached(path: Path, preprocessing: str, modified_and_size: tuple[int, int] | None) -> FeatureNetwork:
    """Load a feature network once; ``modified_and_size`` makes a replaced file a new cache entry."""
    if "fire2.squeeze.weight" in read_weights_file(path).weights:
        return load_squeezenet(path)
    return load_vgg(path, preprocessing)
