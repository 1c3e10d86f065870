"""README's picture, the pieces of gallery/ in two rows: ``make gallery``; ``--check`` only compares."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "pictures" / "pieces.jpg"
WIDTH, GAP = 1960, 8


def pieces() -> list[Image.Image]:
    """Each piece in the widest JPEG that the site has of it."""
    widest: dict[str, Path] = {}
    for page in sorted((ROOT / "gallery" / "pieces").glob("*.html")):
        files = (ROOT / "gallery" / "images").glob(f"{page.stem}_[0-9]*.jpg")
        widest[page.stem] = max(files, key=lambda file: int(file.stem.rpartition("_")[2]))
    return [Image.open(file).convert("RGB") for file in widest.values()]


def drawn() -> Image.Image:
    """Two rows of one height each, as wide as each other."""
    images = pieces()
    shapes = [image.width / image.height for image in images]
    half = min(range(1, len(images)), key=lambda at: abs(sum(shapes[:at]) - sum(shapes[at:])))
    rows = []
    for row in (images[:half], images[half:]):
        free = WIDTH - GAP * (len(row) - 1)
        height = round(free / sum(image.width / image.height for image in row))
        edges = np.cumsum([0.0, *(image.width / image.height * height for image in row)])
        edges = np.rint(edges * free / edges[-1]).astype(int)
        line = Image.new("RGB", (WIDTH, height), "white")
        for number, (image, left, right) in enumerate(zip(row, edges, edges[1:], strict=False)):
            fitted = image.resize((int(right - left), height), Image.Resampling.LANCZOS)
            line.paste(fitted, (int(left) + GAP * number, 0))
        rows.append(line)
    whole = Image.new("RGB", (WIDTH, sum(row.height for row in rows) + GAP), "white")
    whole.paste(rows[0], (0, 0))
    whole.paste(rows[1], (0, rows[0].height + GAP))
    return whole


def main() -> int:
    """Return 1 when the picture is not of this gallery and ``--check`` was asked for."""
    picture = drawn()
    if "--check" not in sys.argv:
        picture.save(FILE, quality=82, progressive=True, optimize=True)
        return 0
    with Image.open(FILE) as there:
        same = there.size == picture.size and bool(
            np.abs(np.asarray(there, float) - np.asarray(picture, float)).mean() < 8
        )
    print("current" if same else "not current: make gallery")
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
