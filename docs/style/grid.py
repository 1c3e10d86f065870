"""Draw a grid of pictures for these pages: every builtin painting on four photographs, by one method.

python docs/style/grid.py patch docs/style/patch.webp
python docs/style/grid.py net docs/style/net.webp
python docs/style/grid.py vgg docs/style/vgg.webp --set features=vgg19.pth
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from skimage import data
from torch import Tensor

from artgen.imaging.image import resize_longer_side
from artgen.imaging.io.files import read_image
from artgen.steps.base import StepContext
from artgen.steps.style import StyleStep
from artgen.style.library import painting_credit, painting_names

CONTENTS = ("astronaut", "chelsea", "coffee", "rocket")
HELD = ("great-wave", "starry-night", "the-kiss", "composition-viii", "autumn-school", "la-grande-jatte")
WIDTH, HEIGHT, GAP, LABEL = 234, 156, 6, 18


def main() -> None:
    """Paint every tile, lay them out, write one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", choices=["patch", "net", "vgg"])
    parser.add_argument("output", type=Path)
    parser.add_argument("--side", type=int, default=320)
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    fields = dict(each.split("=", 1) for each in options.set)
    fields |= {name: float(value) for name, value in fields.items() if value.replace(".", "").isdigit()}
    fields |= {"iterations": int(fields["iterations"])} if "iterations" in fields else {}
    held = (*HELD, "the-scream", "takiyasha")
    styles = [name for name in painting_names() if options.method != "net" or name in held]
    rows = []
    for name in styles:
        step = StyleStep.model_validate({"method": options.method, "style": f"builtin:{name}"} | fields)
        row = [tile(read_image(painting_credit(name).file), name)]
        for content in CONTENTS:
            context = StepContext(1, 1, "style", Path(), "cpu", False, lambda fraction: None)
            row.append(tile(step.apply(resize_longer_side(photograph(content), options.side), context)))
        rows.append(row)
        print(name, flush=True)
    size = (WIDTH + GAP) * (len(CONTENTS) + 1) - GAP, (HEIGHT + GAP) * len(rows) - GAP
    sheet = Image.new("RGB", size, "white")
    for number, row in enumerate(rows):
        for column, image in enumerate(row):
            sheet.paste(image, (column * (WIDTH + GAP), number * (HEIGHT + GAP)))
    sheet.save(options.output, quality=78, method=6)


def photograph(name: str) -> Tensor:
    """One of scikit-image's, ``(3, H, W)``, the upper part of it in 3:2."""
    picture = torch.from_numpy(getattr(data, name)()).permute(2, 0, 1).float() / 255
    return picture[:, : picture.shape[2] * 2 // 3]


def tile(picture: Tensor, label: str = "") -> Image.Image:
    """In the grid's size; a painting whole, with its name beneath."""
    image = Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy())
    room = (WIDTH, HEIGHT - LABEL if label else HEIGHT)
    if not label:
        return image.resize(room, Image.Resampling.LANCZOS)
    framed = Image.new("RGB", (WIDTH, HEIGHT), "white")
    image.thumbnail(room, Image.Resampling.LANCZOS)
    framed.paste(image, (0, 0))
    ImageDraw.Draw(framed).text((0, image.height + 3), label, "black", ImageFont.load_default(12))
    return framed


if __name__ == "__main__":
    main()
