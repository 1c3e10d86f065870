"""What every training recipe says, whatever its family. Read without importing torch."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from artgen.references import References

Weight = Annotated[float, Field(ge=0, le=1000)]
Width = Annotated[int, Field(ge=4, le=512)]
Rate = Annotated[float, Field(gt=0, le=0.1)]


class Table(BaseModel):
    """A table of a training recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class TrainingRecipe(Table):
    """The keys that every family has."""

    holds_out: ClassVar[bool] = True
    """Whether every 20th image is kept from learning, to measure by."""
    paired: ClassVar[bool] = True
    """Whether images of ``inputs``, where there are any, belong to those of ``data`` by name."""
    places: ClassVar[frozenset[str]] = frozenset({"data", "inputs", "start"})
    """Keys that name folders and files here: a published model does not tell where they lay."""

    family: str = Field(description="What kind of model.")
    title: str = Field(
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        description="Names the model's file.",
    )
    description: str = Field("", description="One sentence for the card and `artgen models`.")
    weakness: str = Field("Not described.", description="What the card says it is bad at.")
    data_licence: str = Field("not stated", description="What the card says of the images.")
    data: References | None = Field(
        None,
        description="What to learn: folders of images, or `builtin:textures`; `--data` in its place.",
    )
    inputs: References | None = Field(
        None,
        description="The other folder, for pairs of two folders and for cyclegan; `--inputs` in its place.",
    )
    start: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="A model to go on from, of the same sizes: a shipped one's name, or a file.",
    )
    start_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of `start` in what ships, weight by weight; may change when all is trained.",
    )
    side: int = Field(1024, ge=16, le=8192, description="Images are decoded to at most this long, px.")
    seed: int = Field(0, ge=0, lt=2**53, description="Decides every random choice.")
    steps: int = Field(ge=1, le=10_000_000, description="Updates of every network.")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="Of the arithmetic: auto is bf16 on a GPU that knows it, else fp32."
    )
    clip: float | None = Field(
        None, gt=0, description="Largest norm of a network's gradient; by default as large as it comes."
    )
    average: float = Field(0.999, ge=0, lt=1, description="Decay of the averaged weights that ship.")
    sample_every: int = Field(250, ge=1, description="Steps between sample grids.")
    checkpoint_every: int = Field(250, ge=1, description="Steps between checkpoints.")
    keep: int = Field(2, ge=1, le=1000, description="How many checkpoints stay, the newest.")

    @model_validator(mode="after")
    def _share_of_something(self) -> Self:
        if self.start_share and not self.start:
            raise ValueError("start_share: there is no `start` to keep a share of")
        return self

    @property
    def two_folders(self) -> bool:
        """Whether images are needed in ``inputs`` besides those in ``data``."""
        return False

    def crop_side(self) -> int:
        """Side of the largest squares that are cut out of the images, px."""
        return 1

    def identity(self) -> dict[str, Any]:
        """Everything that decides the weights; texts, places and intervals may change between sittings."""
        free = {"title", "description", "weakness", "data_licence", "data", "inputs", "start", "start_share"}
        free |= {"sample_every", "checkpoint_every", "keep"}
        return self.model_dump(mode="json", exclude=free)

    def published(self) -> dict[str, Any]:
        """The recipe as a model's file tells it: without places, and a valid one still.

        Nor with ``start_share``, which is valid beside a ``start`` only; the file tells both by themselves.
        """
        return self.model_dump(mode="json", exclude={*self.places, "start_share"})

    def learns_from(self) -> dict[str, Any]:
        """What the model's file says of its inputs, so that a recipe can prepare a picture alike."""
        return {}
