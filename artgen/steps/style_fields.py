"""Fields of the step ``style`` that its methods share: which styles, where, and how strong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from artgen.config.draws import Drawn, possible_values
from artgen.errors import ArtgenError
from artgen.imaging.sizes import Size, scaled_size
from artgen.models.features import weight_files
from artgen.references import BUILTIN_FOLDERS, ImageReferences, find_images, image_count_errors
from artgen.steps import style_weights
from artgen.steps.base import FileFinder, ModelReference, Step, preview_side
from artgen.style.optimise.presets import OPTIMISE_PRESETS
from artgen.style.patch.presets import PATCH_PRESETS
from artgen.style.request import PreserveMode

# The fields that name the files that a method reads.
FILE_FIELDS_BY_METHOD = {
    "patch": ("style", "mask"),
    "net": ("model", "mask"),
    "vgg": ("style", "features", "mask"),
}
# Fields of `vgg` that override values of its preset.
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
# Fields that only some methods have. (`model` has a default, and may stay while another method is tried.)
METHODS_BY_FIELD: Mapping[str, tuple[str, ...]] = {
    "preset": ("patch", "vgg"),
    **dict.fromkeys(("features", *OPTIMISE_FIELDS), ("vgg",)),
}
PRESETS_BY_METHOD: Mapping[str, tuple[str, ...]] = {
    "patch": tuple(PATCH_PRESETS),
    "vgg": tuple(OPTIMISE_PRESETS),
}


def find_style_files(reference: str, folder: Path) -> Path | Sequence[Path]:
    """Find the file of a style image that a recipe names, or all files of a folder, which are one style.

    Args:
        reference: ``builtin:NAME``, the path of an image or of a folder, or a pattern.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such style.
    """
    from artgen.style import library

    is_pattern = reference in BUILTIN_FOLDERS or "*" in reference
    if is_pattern or (folder / Path(reference).expanduser()).is_dir():
        return find_images(reference, folder)
    return library.resolve_style_path(reference, folder)


def find_mask_file(reference: str, folder: Path) -> Path:
    """Find the file of a mask that a recipe names.

    Args:
        reference: its path.
        folder: the recipe's folder.

    Raises:
        ArtgenError: there is no such file.
    """
    path = folder / Path(reference).expanduser()
    if not path.is_file():
        raise ArtgenError("mask", f"no file '{path}'", "a grey picture, relative to the recipe's folder")
    return path


class StyleFields(Step):
    """The fields of the step ``style`` that its methods share."""

    file_finders: ClassVar[Mapping[str, FileFinder]] = {
        "style": find_style_files,
        "model": style_weights.find_style_net_file,
        "mask": find_mask_file,
        "features": weight_files.find_weights_file,
    }

    method: Drawn[Literal["patch", "net", "vgg"]] = Field(
        "patch",
        description="`patch` paints with patches of any painting; `net` is a trained network: fast, with "
        "less detail, and only in the styles that it learned; `vgg` optimises the features of an image "
        "recognition network: slow, and its weights must be downloaded.",
    )
    style: Drawn[ImageReferences] = Field(
        ["builtin:great-wave"],
        description="`builtin:NAME`, the path of an image, or a folder of images as one style; a list mixes "
        "several styles. With `net`, styles that the model contains.",
    )
    weights: Drawn[list[Annotated[float, Field(ge=0, le=1000)]]] | None = Field(
        None, description="Share of each style; by default all are equal."
    )
    mask: Drawn[ImageReferences] | None = Field(
        None,
        description="A grey picture: white is painted, black stays as it is. A list of masks, one for each "
        "style, sets where each style is used. A mask of any size is stretched over the image.",
    )
    preset: (
        Drawn[
            Literal["bold", "balanced", "faithful", "dream", "artgen", "gatys", "neural-style", "crowsonkb"]
        ]
        | None
    ) = Field(
        None,
        description="For `patch`: bold favours the painting, faithful the image, balanced (the default) is "
        "in between, and dream keeps only the composition of the image. For `vgg`: artgen's own settings "
        "(the default), or those of a published program.",
    )
    strength: Drawn[Annotated[float, Field(ge=0, le=4)]] = Field(
        1.0,
        description="0 leaves the image as it is, 1 is the normal strength; above 1 less of the image "
        "remains: `net` then paints repeatedly.",
    )
    preserve: Drawn[PreserveMode] = Field(
        "none",
        description="`colour` keeps the image's colours and takes only the brushwork; `luminance` keeps its "
        "light and dark and takes only the colours.",
    )
    faces: Drawn[Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None,
        description="How much faces are protected, so that people stay recognisable. By default 0.6; with "
        "`net`, with dream and with published settings 0.",
    )
    style_scale: Drawn[Annotated[float, Field(ge=0.25, le=4)]] | None = Field(
        None,
        description="Size of the painting relative to the image: a larger value gives larger strokes. By "
        "default 1.33, as `net` learned it; 1 for published settings of `vgg`.",
        json_schema_extra={"unit": "times"},
    )
    side: Drawn[Annotated[int, Field(ge=16, le=16_384)]] | None = Field(
        None,
        description="Longer side to which the image is smoothly resized before it is painted; by default it "
        "keeps its size. For thumbnails, which dream paints at any size.",
        json_schema_extra={"unit": "px"},
    )
    model: Drawn[ModelReference] = Field(
        "styles",
        description="For `net`: a fast-style model, by its name in `artgen models` or the path of a "
        ".safetensors file.",
    )

    @field_validator(*METHODS_BY_FIELD, check_fields=False)
    @classmethod
    def _reject_unused_field(cls, value: object, info: ValidationInfo) -> object:
        """Reject fields that the chosen method does not use."""
        name = info.field_name or ""
        if "method" not in info.data:  # the method is invalid, which is reported for itself
            return value
        methods = possible_values(info.data["method"])
        allowed_methods = METHODS_BY_FIELD[name]
        if not set(methods) & set(allowed_methods):
            method = " or ".join(f'"{method}"' for method in allowed_methods)
            expected = f"only method = {method} has `{name}`: leave it out"
            raise PydanticCustomError("recipe_text", "{expected}", {"expected": expected})
        return value

    @field_validator("preset")
    @classmethod
    def _check_preset(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject presets that a chosen method does not have."""
        for method in possible_values(info.data["method"]) if "method" in info.data else ():
            presets = PRESETS_BY_METHOD.get(method, ())
            given_presets = [preset for preset in possible_values(value) if preset is not None]
            unknown = [preset for preset in given_presets if preset not in presets]
            if unknown and presets:
                expected = f'{unknown[0]!r} is no preset of method = "{method}": one of {", ".join(presets)}'
                raise PydanticCustomError("recipe_text", "{expected}", {"expected": expected})
        return value

    def largest_size(self, size: Size, folder: Path, *, preview: bool) -> Size:
        """Return the size of the image, or with the longest ``side``."""
        if self.side is None:
            return size
        side = max(possible_values(self.side))
        return scaled_size(size, preview_side(side) if preview else side)

    def validate_files(self, folder: Path) -> Iterator[tuple[str, ArtgenError]]:
        """Also yield errors for styles that a network lacks, and for too few or too many weights or masks."""
        file_errors = list(super().validate_files(folder))
        yield from file_errors
        yield from self._validate_counts()
        if file_errors:
            return
        methods = possible_values(self.method)
        if "net" in methods:
            for reference in possible_values(self.model):
                for styles in possible_values(self.style):
                    try:
                        model = style_weights.find_style_net_file(reference, folder)
                        style_weights.shares_by_name(model, styles)
                    except ArtgenError as error:
                        yield "style", error
        if {"patch", "vgg"} & set(methods):
            for styles in possible_values(self.style):
                for reference in styles:
                    files = find_style_files(reference, folder)
                    files = [files] if isinstance(files, Path) else files
                    yield from image_count_errors("style", files, "paint with")

    def _validate_counts(self) -> Iterator[tuple[str, ArtgenError]]:
        """Yield an error for weights or masks whose number does not match that of the styles."""
        for styles in possible_values(self.style):
            for weights in possible_values(self.weights):
                if weights is not None and (len(weights) != len(styles) or not any(weights)):
                    expected = f"{len(styles)} numbers, one for each style, not all of them 0"
                    yield "weights", ArtgenError("weights", str(list(weights)), expected)
            for masks in possible_values(self.mask):
                if masks is not None and len(masks) not in {1, len(styles)}:
                    expected = f"one for all, or {len(styles)}: one for each style"
                    yield "mask", ArtgenError("mask", f"{len(masks)} masks", expected)

    def _named_files(self) -> Iterator[tuple[str, str, FileFinder]]:
        methods = possible_values(self.method)
        used_fields = {field for method in methods for field in FILE_FIELDS_BY_METHOD[method]}
        return (named_file for named_file in super()._named_files() if named_file[0] in used_fields)
