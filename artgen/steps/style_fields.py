"""What all ways to paint in a style share: whose style, where, and how much of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from artgen.config.draws import Drawn, possible
from artgen.errors import ArtgenError
from artgen.models.features import weight_files
from artgen.references import SHIPPED, References, find_images, too_many
from artgen.steps import style_weights
from artgen.steps.base import Finder, Step
from artgen.style.optimise.presets import OPTIMISE_PRESETS
from artgen.style.patch.presets import PATCH_PRESETS
from artgen.style.request import Preserve

# The fields that name the files which a method reads.
READS = {
    "patch": ("style", "mask"),
    "net": ("model", "mask"),
    "vgg": ("style", "features", "mask"),
}
# Fields of `vgg` that replace what its preset has.
OPTIMISE_FIELDS = (
    "loss",
    "start",
    "content_weight",
    "content_layer",
    "style_layers",
    "tv",
    "optimiser",
    "iterations",
    "scales",
    "passes",
    "memory",
)
# Fields that not all methods have. (`model` has a default, and waits while another method is tried.)
ONLY: Mapping[str, tuple[str, ...]] = {
    "preset": ("patch", "vgg"),
    **dict.fromkeys(("features", *OPTIMISE_FIELDS), ("vgg",)),
}
PRESETS: Mapping[str, tuple[str, ...]] = {"patch": tuple(PATCH_PRESETS), "vgg": tuple(OPTIMISE_PRESETS)}
Name = Annotated[str, Field(min_length=1, max_length=500)]


def find_style(reference: str, folder: Path) -> Path | Sequence[Path]:
    """The file of a style image named in a recipe, or the files of a folder, which are one style.

    Raises:
        ArtgenError: no such style.
    """
    from artgen.style import library

    several = reference in SHIPPED or "*" in reference or (folder / Path(reference).expanduser()).is_dir()
    return find_images(reference, folder) if several else library.resolve(reference, folder)


def find_mask(reference: str, folder: Path) -> Path:
    """The file of a mask.

    Raises:
        ArtgenError: there is none.
    """
    path = folder / Path(reference).expanduser()
    if not path.is_file():
        raise ArtgenError("mask", f"no file '{path}'", "a grey picture, relative to the recipe's folder")
    return path


class StyleFields(Step):
    """Whose style, where, and how much of it."""

    references: ClassVar[Mapping[str, Finder]] = {
        "style": find_style,
        "model": style_weights.find_net,
        "mask": find_mask,
        "features": weight_files.find_weights,
    }

    method: Drawn[Literal["patch", "net", "vgg"]] = Field(
        "patch",
        description="`patch` paints with patches of any painting; `net` is a trained network, quick and "
        "plainer, at home in its own styles only; `vgg` optimises what a network of vision sees, slowly, "
        "and needs weights that do not ship.",
    )
    style: Drawn[References] = Field(
        ["builtin:great-wave"],
        description="`builtin:NAME`, the path of an image, or a folder of images as one style; a list mixes "
        "several. With `net`, styles that the model holds.",
    )
    weights: Drawn[list[Annotated[float, Field(ge=0, le=1000)]]] | None = Field(
        None, description="The share of each style; by default all have the same."
    )
    mask: Drawn[References] | None = Field(
        None,
        description="A grey picture: white is painted, black stays as it is. One for each style says where "
        "that one goes. Any size; stretched over the image.",
    )
    preset: (
        Drawn[
            Literal["bold", "balanced", "faithful", "dream", "artgen", "gatys", "neural-style", "crowsonkb"]
        ]
        | None
    ) = Field(
        None,
        description="Of `patch`, who rules: bold the painting, faithful the image, balanced (the default) "
        "both; dream keeps only its composition. Of `vgg`, whose settings: artgen's own, or as published.",
    )
    strength: Drawn[Annotated[float, Field(ge=0, le=4)]] = Field(
        1.0,
        description="0 leaves the image as it is, 1 is as meant, more lets go of the image: `net` then "
        "paints over what it painted.",
    )
    preserve: Drawn[Preserve] = Field(
        "none",
        description="`colour` keeps the image's own colours and takes only the brushwork; `luminance` keeps "
        "its light and dark and takes only the colours.",
    )
    faces: Drawn[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None,
        description="How much faces are spared, so that people stay people. By default 0.6; with `net` and "
        "with dream, 0.",
    )
    style_scale: Drawn[Annotated[float, Field(ge=0.25, le=4)]] | None = Field(
        None,
        description="Size of the painting relative to the image: larger gives larger strokes. By default "
        "1.33, as `net` has learned it; published settings of `vgg` have 1.",
        json_schema_extra={"unit": "times"},
    )
    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Long side the image is smoothly resized to before it is painted; by default it keeps "
        "its size. For thumbnails, which dream paints at any size.",
        json_schema_extra={"unit": "px"},
    )
    model: Drawn[Name] = Field(
        "styles",
        description="Of `net`: a fast-style model, by its name in `artgen models` or the path of a "
        ".safetensors file.",
    )

    @field_validator(*ONLY, check_fields=False)
    @classmethod
    def _of_the_method(cls, value: object, others: ValidationInfo) -> object:
        """Only what is written is validated: what a method has not must not be."""
        name = others.field_name or ""
        if "method" not in others.data:  # what is wrong there is said there
            return value
        methods = possible(others.data["method"])
        having = ONLY[name]
        if not set(methods) & set(having):
            method = " or ".join(f'"{method}"' for method in having)
            right = f"only method = {method} has `{name}`: leave it out"
            raise PydanticCustomError("recipe_text", "{right}", {"right": right})
        return value

    @field_validator("preset")
    @classmethod
    def _preset_of_the_method(cls, value: Any, others: ValidationInfo) -> Any:
        for method in possible(others.data["method"]) if "method" in others.data else ():
            known = PRESETS.get(method, ())
            wrong = [preset for preset in possible(value) if preset is not None and preset not in known]
            if wrong and known:
                right = f'{wrong[0]!r} is no preset of method = "{method}": one of {", ".join(known)}'
                raise PydanticCustomError("recipe_text", "{right}", {"right": right})
        return value

    def wrong(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also a style that the network does not hold, and weights or masks that do not match the styles."""
        found = list(super().wrong(folder))
        yield from found
        yield from self._miscounted()
        if found:
            return
        methods = possible(self.method)
        if "net" in methods:
            for reference in possible(self.model):
                for styles in possible(self.style):
                    try:
                        style_weights.named(style_weights.find_net(reference, folder), styles)
                    except ArtgenError as error:
                        yield "style", error
        if {"patch", "vgg"} & set(methods):
            for styles in possible(self.style):
                for reference in styles:
                    files = find_style(reference, folder)
                    yield from too_many("style", [files] if isinstance(files, Path) else files, "paint with")

    def _miscounted(self) -> Iterator[tuple[str, ArtgenError]]:
        for styles in possible(self.style):
            for weights in possible(self.weights):
                if weights is not None and (len(weights) != len(styles) or not any(weights)):
                    right = f"{len(styles)} numbers, one for each style, not all of them 0"
                    yield "weights", ArtgenError("weights", str(list(weights)), right)
            for masks in possible(self.mask):
                if masks is not None and len(masks) not in {1, len(styles)}:
                    right = f"one for all, or {len(styles)}: one for each style"
                    yield "mask", ArtgenError("mask", f"{len(masks)} masks", right)

    def _references(self) -> Iterator[tuple[str, str, Finder]]:
        read = {name for method in possible(self.method) for name in READS[method]}
        return (named for named in super()._references() if named[0] in read)
