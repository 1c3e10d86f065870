"""Deep zoom: a large picture as a pyramid of tiles (DZI), written while it is read, never whole in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from artgen.gallery.media.renditions import explained, vips

LARGER_THAN = 4096
"""px of the longer side: up to here the renditions show all there is."""
TILE, OVERLAP, QUALITY = 512, 1, 84


@dataclass(frozen=True)
class Pyramid:
    """What the viewer is told; the fields of a DZI descriptor.

    Args:
        folder: holds ``LEVEL/COLUMN_ROW.jpg``, relative to the site.
        width: of the picture, px.
        height: of the picture, px.
        tile: side of a tile, px.
        overlap: px that neighbours share at each side.
    """

    folder: str
    width: int
    height: int
    tile: int = TILE
    overlap: int = OVERLAP


def write_pyramid(file: Path, site: Path, name: str) -> Pyramid | None:
    """Cut ``file`` into tiles under ``site/zoom/NAME_files``; None for a picture that needs none.

    Raises:
        ArtgenError: the file is missing or damaged.
    """
    pyvips = vips()
    try:
        image = pyvips.Image.new_from_file(str(file), access="sequential", fail_on="error")
        if max(image.width, image.height) <= LARGER_THAN:
            return None
        if image.get_fields().count("orientation") and image.get("orientation") != 1:
            # Turning needs all rows: through a temporary file where it does not fit into memory.
            image = pyvips.Image.new_from_file(str(file), fail_on="error").autorot()
        if "icc-profile-data" in image.get_fields():
            image = image.icc_transform("srgb", embedded=True)
        image = image.colourspace("srgb")
        if image.hasalpha():
            image = image.flatten(background=[255, 255, 255])
        image.cast("uchar").dzsave(
            str(site / "zoom" / name),
            tile_size=TILE,
            overlap=OVERLAP,
            suffix=f".jpg[Q={QUALITY},optimize_coding]",
            keep="none",
            skip_blanks=-1,
        )
    except pyvips.Error as error:
        raise explained(file, str(error)) from None
    (site / "zoom" / f"{name}.dzi").unlink(missing_ok=True)  # its words are in the page, for file://
    (site / "zoom" / f"{name}_files" / "vips-properties.xml").unlink(missing_ok=True)
    return Pyramid(f"zoom/{name}_files", image.width, image.height)
