"""Models from Python: their training, and their networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.events import Emit, ignore_event

if TYPE_CHECKING:
    from artgen.models.architectures.network import Network
    from artgen.models.files.checkpoint import LoadedModel


def load_model(reference: Path | str, device: str = "auto") -> LoadedModel[Network]:
    """Load the network of a model: one that comes with artgen, or a file that ``train`` wrote.

    A model file holds numbers only: opening one from anywhere runs no code.

    Args:
        reference: a name of ``artgen models``, or the path of a ``.safetensors`` file.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Returns:
        Its ``network``, a ``torch.nn.Module`` in ``eval`` mode with float32 weights in channels-last memory,
        and the file's ``metadata``.

    Raises:
        ArtgenError: no such model, or the file is damaged or of an unknown architecture.

    Examples:
        >>> model = artgen.load_model("waves", device="cpu")
        >>> model.metadata["architecture"]
        'unet'
    """
    from artgen.imaging.devices import choose_device
    from artgen.models.files import catalog, checkpoint

    return checkpoint.load_model(catalog.find_model_file(str(reference), Path()), choose_device(device))


def default_training_folder(recipe: Path) -> Path:
    """Return the folder of a recipe's training: ``training-runs/NAME``."""
    return Path("training-runs") / recipe.stem


def train(
    recipe: Path | str,
    *,
    data: Sequence[str] = (),
    inputs: Sequence[str] = (),
    folder: Path | str | None = None,
    device: str = "auto",
    adopt: bool = False,
    compile_networks: bool = False,
    emit: Emit = ignore_event,
) -> list[Path]:
    """Train the model of a training recipe from Python, or resume where its training stopped.

    Ctrl-C writes a checkpoint first.

    Args:
        recipe: the path of a training recipe.
        data: folders of images to learn from, instead of the recipe's ``data``.
        inputs: folders of images instead of the recipe's ``inputs``.
        folder: where checkpoints, samples and the model go; by default ``training-runs/NAME``.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        adopt: resume from a checkpoint of another recipe with the same networks, or of other images.
        compile_networks: let torch compile the networks, which saves time on a GPU after some minutes.
        emit: called with each event of ``artgen.events``: losses, samples, the time that is left.

    Returns:
        The model files, each with a model card next to it.

    Raises:
        ArtgenError: the recipe is wrong, there are no images, or the folder holds another training.

    Examples:
        >>> [file.name for file in artgen.train("tiny.toml", device="cpu")]
        ['Tiny.safetensors']
    """
    from artgen.training.recipes.load import load_training_recipe

    path = Path(recipe)
    training_recipe = load_training_recipe(path)  # before torch is imported: a mistake is reported at once
    from artgen.imaging.devices import choose_device
    from artgen.training.session import TrainingJob, run_training

    job = TrainingJob(
        recipe=training_recipe,
        folder=Path(folder) if folder is not None else default_training_folder(path),
        data=data,
        inputs=inputs,
        recipe_folder=path.parent,
        device=choose_device(device),
        adopt=adopt,
        compile_networks=compile_networks,
    )
    return run_training(job, emit)
