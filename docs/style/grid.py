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

from artgen.imaging.files import read_image
from artgen.imaging.image import fit
from artgen.steps.base import Context
from artgen.steps.style import Style
from artgen.style.library import credit, names

CONTENTS = ("astronaut", "chelsea", "coffee", "rocket")
HELD = ("great-wave", "starry-night", "the-kiss", "composition-viii", "autumn-school", "la-grande-jatte")
WIDTH, GAP, LABEL = 224, 6, 18


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
    styles = [name for name in names() if options.method != "net" or name in held]
    rows = []
    for name in styles:
        step = Style.model_validate({"method": options.method, "style": f"builtin:{name}"} | fields)
        row = [tile(read_image(credit(name).file), name)]
        for content in CONTENTS:
            picture = torch.from_numpy(getattr(data, content)()).permute(2, 0, 1).float() / 255
            context = Context(1, 1, "style", Path(), "cpu", False, lambda fraction: None)
            row.append(tile(step.apply(fit(picture, options.side), context)))
        rows.append(row)
        print(name, flush=True)
    height = sum(max(image.height for image in row) + GAP for row in rows)
    sheet = Image.new("RGB", ((WIDTH + GAP) * (len(CONTENTS) + 1) - GAP, height), "white")
    top = 0
    for row in rows:
        for column, image in enumerate(row):
            sheet.paste(image, (column * (WIDTH + GAP), top))
        top += max(image.height for image in row) + GAP
    sheet.save(options.output, quality=78, method=6)


def tile(picture: Tensor, label: str = "") -> Image.Image:
    """At the grid's width; a painting with its name beneath."""
    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    if not label:
        return image
    framed = Image.new("RGB", (WIDTH, image.height + LABEL), "white")
    framed.paste(image, (0, 0))
    ImageDraw.Draw(framed).text((0, image.height + 3), label, "black", ImageFont.load_default(12))
    return framed


if __name__ == "__main__":
    main()
