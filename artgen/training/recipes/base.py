"""The keys that every training recipe has, whatever its family. Imports no torch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from artgen.references import ImageReferences

LossWeight = Annotated[float, Field(ge=0, le=1000)]
ChannelCount = Annotated[int, Field(ge=4, le=512)]
LearningRate = Annotated[float, Field(gt=0, le=0.1)]


class TrainingRecipeTable(BaseModel):
    """A table of a training recipe: unknown keys and other types are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TrainingRecipe(TrainingRecipeTable):
    """The keys that the training recipes of all families have."""

    holds_out: ClassVar[bool] = True
    """Whether every 20th image is held out from training, to measure the model with."""
    paired: ClassVar[bool] = True
    """Whether the images of ``inputs``, if any, belong to those of ``data`` by name."""
    path_keys: ClassVar[frozenset[str]] = frozenset({"data", "inputs", "start"})
    """Keys with paths on this machine, which a published model leaves out."""

    family: str = Field(description="What kind of model.")
    title: str = Field(
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Name of the model's file.",
    )
    description: str = Field("", description="One sentence for the card and `artgen models`.")
    weakness: str = Field("Not described.", description="What the model is bad at, for its card.")
    data_licence: str = Field("not stated", description="Licence of the images, for the card.")
    data: ImageReferences | None = Field(
        None,
        description="Training images: folders, or `builtin:textures`; the option `--data` replaces it.",
    )
    inputs: ImageReferences | None = Field(
        None,
        description="The second folder, for pairs of two folders and for cyclegan; `--inputs` replaces it.",
    )
    start: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="A model of the same sizes to start from: the name of a shipped one, or a file.",
    )
    start_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of `start` in every weight of the written model; can be changed afterwards.",
    )
    side: int = Field(
        1024, ge=16, le=8192, description="Images are decoded to at most this many px on the longer side."
    )
    seed: int = Field(0, ge=0, lt=2**53, description="Decides every random choice.")
    steps: int = Field(ge=1, le=10_000_000, description="Updates of every network.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Precision of the arithmetic: auto is bf16 on a GPU that has it, else fp32."
    )
    clip: float | None = Field(
        None, gt=0, description="Largest norm of a network's gradient; unlimited by default."
    )
    average: float = Field(
        0.999, ge=0, lt=1, description="Decay of the averaged weights (EMA), which are those of the model."
    )
    sample_every: int = Field(250, ge=1, description="Steps between sample grids.")
    checkpoint_every: int = Field(250, ge=1, description="Steps between checkpoints.")
    keep: int = Field(2, ge=1, le=1000, description="Number of newest checkpoints that are kept.")

    @model_validator(mode="after")
    def _require_start_for_share(self) -> Self:
        if self.start_share and not self.start:
            raise ValueError("start_share: there is no `start` to keep a share of")
        return self

    training_class: ClassVar[str] = ""
    """Where the family's ``ModelFamily`` is, as ``module:Class``; it is imported when training starts."""

    def find_training_class(self) -> str:
        """Return where the ``ModelFamily`` that trains this recipe is: ``module:Class``."""
        return self.training_class

    @property
    def needs_inputs_folder(self) -> bool:
        """Whether the training needs images in ``inputs`` as well as in ``data``."""
        return False

    def max_crop_side(self) -> int:
        """Return the side, px, of the largest squares cut out of the training images."""
        return 1

    def identity_fields(self) -> dict[str, Any]:
        """Return the recipe's fields that decide the trained weights.

        Texts, paths and intervals are not among them: they may change when a training is resumed.
        """
        excluded = {"title", "description", "weakness", "data_licence", "data", "inputs"}
        excluded |= {"start", "start_share", "sample_every", "checkpoint_every", "keep"}
        return self.model_dump(mode="json", exclude=excluded)

    def published_fields(self) -> dict[str, Any]:
        """Return the recipe's fields that the model's file holds: valid, but without paths.

        ``start_share`` is left out too, since it is only valid with a ``start``; the file states both
        separately.
        """
        return self.model_dump(mode="json", exclude={*self.path_keys, "start_share"})

    def published_metadata(self) -> dict[str, Any]:
        """Return further metadata of the model's file, by which a recipe prepares images in the same way."""
        return {}
