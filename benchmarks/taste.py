"""What curation knows: how many keepers an artist meets in taste order, and which pictures count as alike.

python benchmarks/taste.py               synthetic artists among 5,000 candidates, 150 decisions each
python benchmarks/taste.py --tuned       the same for the artists that the taste was tuned on
python benchmarks/taste.py --within      60 decisions among the candidates of one recipe, for each recipe
python benchmarks/taste.py --embedding   how well embeddings find siblings and tell recipes apart

The candidates are made the first time, which takes some minutes, and kept in ``runs/bench-curation``.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from artists import HELD_OUT, TUNED, measures
from drafts import DRAFTS
from material import ROOT, SIBLINGS, Material, candidates, siblings
from numpy.typing import NDArray

from artgen.curation.ranking.duplicates import MAX_DUPLICATE_DISTANCE, find_duplicate_groups
from artgen.curation.ranking.orders import order_by_diversity, pairwise_distances
from artgen.curation.ranking.taste import TasteModel
from artgen.imaging.embedding import EMBEDDING_BLOCK_SCALES, EMBEDDING_NAME

DECISIONS = 150
WITHIN = 60
SCREEN = 40
FLIPPED = 0.1
NEIGHBOURS = 7
Vectors = NDArray[np.float32]


def looked(kind: str, material: Material) -> dict[str, Vectors]:
    """Return the embedding's statistics of every picture by name, scaled; computed once."""
    import torch

    from artgen.imaging.embedding import feature_blocks
    from artgen.imaging.io.files import read_image

    torch.set_num_threads(1)

    def compute() -> dict[str, Vectors]:
        rows, seconds = [], 0.0
        for file in material.files:
            image = read_image(file)
            begun = time.process_time()
            with torch.inference_mode():
                rows.append(
                    {
                        name: block.numpy() * EMBEDDING_BLOCK_SCALES[name]
                        for name, block in feature_blocks(image).items()
                    }
                )
            seconds += time.process_time() - begun
        print(f"  {seconds / len(rows) * 1e3:.1f} ms a picture of one thread (at most 15)")
        return {name: np.stack([row[name] for row in rows]).astype(np.float32) for name in rows[0]}

    return kept(f"{kind}-{EMBEDDING_NAME}", compute)


def kept(name: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what was computed before, or compute it now."""
    file = ROOT / f"{name}.npz"
    if not file.is_file():
        np.savez(file, **compute())
    with np.load(file) as found:
        return dict(found)


def whole(blocks: dict[str, Vectors], names: tuple[str, ...] = tuple(EMBEDDING_BLOCK_SCALES)) -> Vectors:
    """Return the vectors as ``embed`` gives them, or some blocks of them."""
    return np.hstack([blocks[name] for name in names])


def found(
    taste: TasteModel,
    start: list[int],
    keeps: NDArray[np.bool_],
    *,
    decisions: int = DECISIONS,
    screen: int = 1,
    flipped: float = 0.0,
) -> tuple[int, list[float]]:
    """Keepers among the first decisions in taste order, and seconds of each refit with its order.

    Args:
        taste: of the candidates.
        start: the order until one is kept and one rejected.
        keeps: what the artist likes.
        decisions: how many.
        screen: frames that stay where they are until all are decided.
        flipped: share of the decisions that are not what the artist likes.
    """
    slips = np.random.default_rng(1).random(len(keeps)) < flipped
    likes: list[int] = []
    rejects: list[int] = []
    open_ = dict.fromkeys(start)
    seconds = []
    while len(likes) + len(rejects) < decisions:
        order = list(open_)
        if likes and rejects:
            begun = time.process_time()
            order = taste.fit(likes, rejects, {}).rank(sorted(open_))
            seconds.append(time.process_time() - begun)
        for row in order[: min(screen, decisions - len(likes) - len(rejects))]:
            del open_[row]
            (likes if keeps[row] ^ slips[row] else rejects).append(row)
    return int(keeps[likes + rejects].sum()), seconds


def artists(tuned: bool) -> None:
    material = candidates()
    vectors = whole(looked("candidates", material))
    pixels = kept("measures-1", lambda: measures(material.files))
    taste, start = TasteModel(vectors, material.draws), order_by_diversity(vectors)
    chosen = TUNED if tuned else HELD_OUT
    print(f"{len(vectors)} candidates, {DECISIONS} decisions; keepers met, times those of run order")
    print(f"  {'':37}         run   one at a time   screen of {SCREEN}   a tenth of slips    ms")
    for name, artist in chosen.items():
        keeps = artist(pixels, material.draws)
        # What run order gives, or the share of all keepers where its beginning was unlucky.
        met = int(keeps[:DECISIONS].sum())
        run = max(met, DECISIONS * float(keeps.mean()))
        results = [
            found(taste, start, keeps, **how) for how in ({}, {"screen": SCREEN}, {"flipped": FLIPPED})
        ]
        told = "   ".join(f"{number:3d} = {number / run:4.1f} x" for number, _ in results)
        slowest = np.percentile(results[0][1], 95) * 1e3
        among = Counter(np.array(material.drafts)[keeps]).most_common(2)
        print(
            f"  {name:37} {met:4d} of {keeps.sum():3d}   {told}   {slowest:3.0f}   "
            + ", ".join(f"{count} {draft}" for draft, count in among)
        )
    firm = np.random.default_rng(0).permutation(len(vectors))[:600].tolist()
    seconds = []
    for _ in range(5):
        begun = time.process_time()
        taste.fit(firm[:60], firm[60:], {}).rank(range(len(vectors)))
        seconds.append(time.process_time() - begun)
    print(f"  after 600 decisions {min(seconds) * 1e3:.0f} ms to refit and order (at most 200)")
    for what, work in (("diverse first", order_by_diversity), ("near-duplicates", find_duplicate_groups)):
        begun = time.process_time()
        work(vectors)
        print(f"  {what} {(time.process_time() - begun) * 1e3:.0f} ms")


def within() -> None:
    """Return the harder question: candidates of one recipe differ less than those of several."""
    material = candidates()
    everyone = whole(looked("candidates", material))
    pixels = kept("measures-1", lambda: measures(material.files))
    print(f"{WITHIN} decisions among the candidates of one recipe; keepers met, times their share")
    print(f"  {'':37}" + "".join(f"{name:>18}" for name in DRAFTS))
    for name, artist in HELD_OUT.items():
        told = []
        for draft in DRAFTS:
            rows = np.flatnonzero(np.array(material.drafts) == draft)
            vectors, draws = everyone[rows], [material.draws[row] for row in rows]
            keeps = artist({kind: scores[rows] for kind, scores in pixels.items()}, draws)
            met, _ = found(TasteModel(vectors, draws), order_by_diversity(vectors), keeps, decisions=WITHIN)
            told.append(f"{met:2d} of {keeps.sum():2d} = {met / WITHIN / keeps.mean():3.1f} x")
        print(f"  {name:37}" + "".join(f"{words:>18}" for words in told))


def embeddings() -> None:
    material, others = siblings(), candidates()
    own, run = looked("siblings", material), looked("candidates", others)
    net = kept("siblings-net", lambda: _network(material))["net"]
    colour = ("hue", "tones", "chroma", "moments")
    strokes, layout = ("bands", "directions"), ("layout", "sides")
    kinds = {
        "colours": whole(own, colour),
        "strokes": whole(own, strokes),
        "layout": whole(own, layout),
        "colours, strokes": whole(own, colour + strokes),
        f"all three: {EMBEDDING_NAME}": whole(own),
        "all three, whitened": _whitened(whole(own)),
        "network": _whitened(net, 0.5),
        "all three, network": np.hstack([whole(own), _whitened(net, 0.5)]),
    }
    columns = "  numbers   3 siblings first   " + "   ".join(SIBLINGS[1:]) + "   recipe   within 1 in 10,000"
    print(f"{len(material.files)} pictures, four of each of {len(material.files) // 4} candidates")
    print(f"{'':25}{columns}")
    families, drafts = np.array(material.families), np.array(material.drafts)
    for name, vectors in kinds.items():
        print(f"  {name:23}{vectors.shape[1]:7}  " + _told(vectors, families, drafts))
    vectors = whole(own)
    apart = [np.linalg.norm(vectors[0::4] - vectors[k::4], axis=1) for k in (1, 2, 3)]
    for kind, away in zip(SIBLINGS[1:], apart, strict=True):
        print(
            f"  distance to {kind:8} median {np.median(away):.2f}, 99 % within {np.percentile(away, 99):.2f}"
        )
    nearest = np.concatenate([_nearest(whole(run), first) for first in range(0, len(whole(run)), 500)])
    least = np.percentile(nearest, 1)
    print(f"  nearest of 5,000 unrelated: median {np.median(nearest):.2f}, 1 % within {least:.2f}")
    members = find_duplicate_groups(vectors)
    exact = sum(len(group) == 4 and len({row // 4 for row in group}) == 1 for group in members)
    print(
        f"  near-duplicates up to {MAX_DUPLICATE_DISTANCE}: "
        f"{exact} of {len(vectors) // 4} families found as one group of four"
    )
    among = find_duplicate_groups(whole(run))
    print(f"  among 5,000 unrelated: {len(among)} groups, the largest of {max(map(len, among), default=0)}")


def _told(vectors: Vectors, families: NDArray[np.int_], drafts: NDArray[np.str_]) -> str:
    away = pairwise_distances(vectors, vectors)
    np.fill_diagonal(away, np.inf)
    order = away.argsort(1)
    first = (families[order[:, :3]] == families[:, None]).mean()
    kinds = [np.mean([row + k in order[row, :3] for row in range(0, len(vectors), 4)]) for k in (1, 2, 3)]
    right = 0
    for row in range(len(vectors)):
        near = [other for other in order[row, : NEIGHBOURS + 3] if families[other] != families[row]]
        right += Counter(drafts[near[:NEIGHBOURS]]).most_common(1)[0][0] == drafts[row]
    same = families[:, None] == families[None]
    limit = np.quantile(away[~same], 1e-4)
    true = (away[same & np.isfinite(away)] <= limit).mean()
    figures = "   ".join(f"{kind:5.0%}" for kind in kinds)
    return f"   {first:9.1%}          {figures}   {right / len(vectors):6.0%}   {true:10.0%}"


def _nearest(vectors: Vectors, first: int) -> Vectors:
    away = pairwise_distances(vectors[first : first + 500], vectors)
    away[np.arange(len(away)), np.arange(first, first + len(away))] = np.inf
    nearest: Vectors = away.min(1)
    return nearest


def _whitened(vectors: Vectors, power: float = 1.0, axes: int = 64) -> Vectors:
    centred = (vectors - vectors.mean(0)) / (vectors.std(0) + 1e-9)
    values, spans, _ = np.linalg.svd(centred, full_matrices=False)
    points = values[:, :axes] * spans[:axes] ** (1 - power)
    scaled: Vectors = points / np.sqrt((points**2).sum(1).mean()) * 1.4
    return scaled.astype(np.float32)


def _network(material: Material) -> dict[str, Vectors]:
    """Means and deviations of what ``nature-8x`` sees in thumbnails of 32 px, after three blocks."""
    import torch

    from artgen.imaging.image import shrink
    from artgen.imaging.io.files import read_image
    from artgen.models.files.catalog import PRETRAINED_FOLDER
    from artgen.models.files.checkpoint import load_model

    network = load_model(PRETRAINED_FOLDER / "nature-8x.safetensors", "cpu").network
    assert isinstance(network.stem, torch.nn.Module)
    rows, seconds = [], 0.0
    for file in material.files:
        image = read_image(file)
        begun = time.process_time()
        with torch.inference_mode():
            small = shrink(image, (32, 32))[None] * 2 - 1
            seen = network.stem(torch.cat([small, torch.zeros(1, 4, 32, 32)], 1))
            for block in list(network.trunk)[:3]:  # type: ignore[arg-type]
                seen = block(seen)
            rows.append(torch.cat([seen.mean((2, 3))[0], seen.std((2, 3))[0]]).numpy())
        seconds += time.process_time() - begun
    print(f"  network: {seconds / len(rows) * 1e3:.1f} ms a picture")
    return {"net": np.stack(rows)}


if __name__ == "__main__":
    assert sum(count for _, count in DRAFTS.values()) == 5000
    if "--embedding" in sys.argv:
        embeddings()
    elif "--within" in sys.argv:
        within()
    else:
        artists("--tuned" in sys.argv)
