"""Orders, near-duplicates, taste and a final set, as the page requests them."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artgen.imaging.embedding import EMBEDDING_NAME
from artgen.runs.store import Run
from tests.curation.served import Client, CurateProcess

MakeRun = Callable[..., Path]
CANDIDATE_COUNT = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _made_runs: MakeRun) -> Iterator[CurateProcess]:
    folder = tmp_path_factory.mktemp("ranking") / "runs" / "abstracts-1a2b3c4d"
    shutil.copytree(_made_runs(folder.name, ((8, 8),) * CANDIDATE_COUNT, "Abstracts", "{index}"), folder)
    rng = np.random.default_rng(1)
    with Run.open(folder) as run:
        size = len(embed_first_thumbnail(folder))
        kinds = rng.standard_normal((2, size)).astype(np.float32)
        for number in range(1, CANDIDATE_COUNT + 1):  # odd ones are similar, and even ones; 5 and 7 are equal
            noise = np.random.default_rng(5 if number == 7 else number).standard_normal(size)
            vector = (kinds[number % 2] + 0.3 * noise).astype(np.float32)
            run.save_embeddings(EMBEDDING_NAME, {number: vector})
    server = CurateProcess(folder)
    yield server
    assert server.stop()[0] == 0
    assert server.stderr_path.read_text() == ""


def embed_first_thumbnail(folder: Path) -> Any:
    from artgen.imaging.embedding import embed_image
    from artgen.imaging.io.files import read_image

    return embed_image(read_image(folder / "thumbs" / "0001.webp"))


@pytest.fixture(scope="module")
def client(server: CurateProcess) -> Client:
    return server.client()


def test_orders_and_groups(client: Client) -> None:
    all_numbers = list(range(1, CANDIDATE_COUNT + 1))
    diverse = client.get("/api/order?by=diverse")
    assert (diverse["by"], diverse["wait"], sorted(diverse["order"])) == ("diverse", False, all_numbers)
    assert sum(diverse["order"][:2]) % 2 == 1  # one of each kind first
    similar = client.get("/api/order?by=like&candidate=5")["order"]
    assert sorted(similar) == all_numbers
    assert set(similar[:2]) == {5, 7}
    assert all(number % 2 for number in similar[: CANDIDATE_COUNT // 2])
    assert client.get("/api/groups")["groups"] == [[5, 7]]


def test_taste(client: Client) -> None:
    too_early = client.get("/api/order?by=taste", 409)
    assert "keep at least one candidate and reject at least one" in too_early["error"]
    assert client.get("/api/reasons?candidate=9")["closest"] == []
    client.decide(*((number, "mark", "kept") for number in (1, 3, 5)))
    client.decide(*((number, "mark", "rejected") for number in (2, 4, 6)))
    taste = client.get("/api/order?by=taste")["order"]
    assert sorted(taste) == list(range(1, CANDIDATE_COUNT + 1))
    undecided = taste[: CANDIDATE_COUNT - 6]
    assert not {1, 2, 3, 4, 5, 6} & set(undecided)
    assert sum(number % 2 for number in undecided[:6]) >= 4
    closest = client.get("/api/reasons?candidate=9")["closest"]
    assert {number for number, _ in closest} == {1, 3, 5}
    assert all(0 <= similarity <= 1 for _, similarity in closest)
    assert all(number != 3 for number, _ in client.get("/api/reasons?candidate=3")["closest"])
    proposed = client.get("/api/proposal?count=2")["proposed"]
    assert len(proposed) == 2
    assert set(proposed) < {1, 3, 5}
    assert client.get("/api/proposal?count=9")["proposed"] == [1, 3, 5]
    client.post("/api/round", {"view": "sheet", "action": "ab" * 16})
    after_round = client.get("/api/order?by=taste")["order"]
    assert set(after_round[:3]) == {1, 3, 5}


def test_a_decision_is_saved_while_the_taste_is_fitted(client: Client) -> None:
    client.decide((20, "mark", "rejected"), (21, "mark", "kept"))
    client.get("/api/order?by=taste")
    before = client.get("/api/run")["undo"]
    for step in range(20):
        client.decide((8 + step % 10, "stars", 1 + step % 5))
    assert client.get("/api/run")["undo"] == before + 20
    assert client.get("/api/order?by=taste")["order"]


@pytest.mark.slow
def test_missing_embeddings_are_computed_in_the_background(finished_run: MakeRun) -> None:
    folder = finished_run(shapes=((64, 64),) * 4)
    (folder / "thumbs" / "0003.webp").write_bytes(b"no picture")
    server = CurateProcess(folder)
    try:
        client = server.client()
        first = client.get("/api/order?by=diverse")
        assert sorted(first["order"]) == [1, 2, 3, 4]
        deadline = time.monotonic() + 60
        while client.get("/api/order?by=diverse")["wait"]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        with Run.open(folder) as run:
            assert run.database.list_candidates_without_embedding(EMBEDDING_NAME) == [3]
            numbers, vectors = run.load_embeddings(EMBEDDING_NAME)
            expected = embed_first_thumbnail(folder)
        assert numbers.tolist() == [1, 2, 4]
        np.testing.assert_allclose(vectors[0], expected, rtol=2e-3, atol=2e-3)
        assert client.get("/api/order?by=diverse")["order"][-1] == 3
        assert server.stop()[0] == 0
        assert server.stderr_path.read_text() == ""
    finally:
        server.kill()
