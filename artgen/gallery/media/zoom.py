"""Deep zoom: a pyramid of tiles (DZI) of a large picture, written while the picture is decoded in strips."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from artgen.gallery.media.source_picture import SourcePicture, decoding_error
from artgen.imaging.io.libvips import load_vips

MAX_UNTILED_SIDE_PX = 4096
"""px of the longer side; up to here the renditions show every detail."""
ZOOM_TILE_SIDE_PX, ZOOM_TILE_OVERLAP_PX = 512, 1  # px
ZOOM_TILE_JPEG_QUALITY = 84


@dataclass(frozen=True)
class TilePyramid:
    """What the zoom viewer needs to know of a picture's tiles: the fields of a DZI descriptor.

    Attributes:
        folder: with files ``LEVEL/COLUMN_ROW.jpg``, relative to the site.
        width: of the picture, px.
        height: of the picture, px.
        tile: side of a tile, px.
        overlap: px that adjacent tiles share at each side.
    """

    folder: str
    width: int
    height: int
    tile: int = ZOOM_TILE_SIDE_PX
    overlap: int = ZOOM_TILE_OVERLAP_PX


def write_tile_pyramid(file: Path, site: Path, name: str) -> TilePyramid | None:
    """Cut a picture into tiles in ``site/zoom/NAME_files``, unless its renditions show every detail.

    Args:
        file: the picture.
        site: the site's folder; ``zoom/`` exists in it.
        name: the folder of tiles is called ``NAME_files``.

    Raises:
        ArtgenError: the file is missing or damaged.
    """
    pyvips = load_vips()
    try:
        picture = SourcePicture(file)
        if max(picture.width, picture.height) <= MAX_UNTILED_SIDE_PX:
            return None
        picture.open_full().dzsave(
            str(site / "zoom" / name),
            tile_size=ZOOM_TILE_SIDE_PX,
            overlap=ZOOM_TILE_OVERLAP_PX,
            suffix=f".jpg[Q={ZOOM_TILE_JPEG_QUALITY},optimize_coding]",
            keep="none",
            skip_blanks=-1,
        )
    except pyvips.Error as error:
        raise decoding_error(file, str(error)) from None
    # The page has these values itself, because a page opened from a disk cannot read other files.
    (site / "zoom" / f"{name}.dzi").unlink(missing_ok=True)
    (site / "zoom" / f"{name}_files" / "vips-properties.xml").unlink(missing_ok=True)
    return TilePyramid(f"zoom/{name}_files", picture.width, picture.height)
