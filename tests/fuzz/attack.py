"""Give ``artgen`` many mutated files within one process; print what crashed as JSON.

``python attack.py FOLDER SEED COUNT [KEPT]``: the folder is a project with a finished run, which is
written into; a copy of it after each crash goes into the folder ``KEPT``.
"""

from __future__ import annotations

import contextlib
import io
import json
import random
import resource
import shutil
import sqlite3
import sys
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from mutations import mutate_bytes, mutate_database, mutate_json, mutate_toml
from typer.main import get_command

from artgen.cli import app
from artgen.cli.terminal.messages import run_command
from artgen.imaging.io.png_text import read_text

ARTGEN = get_command(app)  # as `app()` builds it anew for every call
SLOW_SECONDS = 5.0  # of CPU
GALLERY_TOML = b"""\
title = "Sea and sky"
artist = "Ada"
base_url = "https://example.org/art/"
statement = "Twelve pictures"
language = "en"
rights = "All rights reserved"
widths = [16, 32]
formats = ["avif", "jpg"]
jpeg_quality = 80
[[series]]
run = "photos"
title = "Tiny ones"
order = "newest"
[[links]]
name = "Shop"
url = "https://example.org/shop?a=1"
"""
TRAINING_TOML = b"""\
family = "pix2pix"
title = "Outlines"
data = "pictures"
data_licence = "own photographs"
side = 256
crop = 256
seed = 3
steps = 20
rate = 0.0002
[pairs]
use = "edges"
"""
DECISION = json.dumps(
    {
        "at": "2026-01-02T03:04:05Z",
        "who": "Ada",
        "view": "command",
        "action": "0123456789abcdef",
        "kind": "do",
    }
    | {"of": None, "rows": [[1, "mark", "kept"], [1, "title", "One"], [2, "stars", 3], [2, "round", 2]]}
).encode()
PUBLISH = ("publish", "photos", "--workers", "1", "--to")
CHEAP_INPUTS_PER_DEAR_ONE = 3  # manifests and databases take a tenth of a second
NAMED = (  # commands that end with a name or a text
    *("new", "check", "run", "reproduce", "train", "steps", "film", "curate --static x", "vary --queued"),
    *("publish", "publish photos --to named --workers 1 --settings", "publish photos --to", "pick --from"),
    *("publish photos --to named --workers 1 --title", "publish photos --to named --workers 1 --templates"),
    *("style", "style pictures/0.png -o x.png --style", "models show", "models import", "models export"),
    *("models measure", "models recipe", "data pairs", "data faces", "data check", "schema -o", "pick tiny"),
    *("runs --runs", "run tiny.toml --only", "run tiny.toml --seed", "check tiny.toml --set", "film tiny -o"),
)
ODD_NAMES = (
    *(
        "n" * 300,
        "é" * 200,
        "a\udcff\udced\udca0b",
        "a\nb\x1b[2J",
        "9" * 5_000,
        "",
        "-",
        "a/b/../../x",
        "~nobody",
    ),
    *(
        "\t",
        "con",
        "[::1",
        "x.toml",
        "x.png",
        "builtin:x",
        "user@[::1:x",
        "1-99999999999",
        "\u202e.png",
        " ",
        ".",
    ),
)
Command = list[str]


class Attack:
    """Mutated inputs of every kind, each with the command that reads it.

    Args:
        project: its folder, which is the current one.
        chance: makes the same inputs for the same seed.
    """

    def __init__(self, project: Path, chance: random.Random) -> None:
        self._project, self._chance = project, chance
        (self._run,) = (project / "runs").glob("tiny-*")
        self._whole_run = project / "whole"
        with sqlite3.connect(self._run / "run.db") as database:
            database.execute("INSERT INTO facts VALUES ('gone', '[7]')")
        database.close()
        shutil.copytree(self._run, self._whole_run)
        self._recipe = (project / "tiny.toml").read_bytes()
        self._picture = min((self._run / "candidates").glob("*.png"))
        self._picks = json.dumps(
            {"format": 2, "run": self._run.name, "picks": [1, 3]}
            | {"decisions": {"1": {"mark": "kept", "stars": 2, "title": "One"}, "2": {"mark": "rejected"}}}
        ).encode()
        (project / "photos").mkdir()
        shutil.copy(project / "pictures" / "0.png", project / "photos" / "a.png")
        self.kinds: dict[str, Callable[[], Command]] = {
            "recipes": self.recipe,
            "overrides": self.override,
            "training recipes": self.training_recipe,
            "gallery.toml": self.settings,
            "picks": self.picks,
            "manifests": self.manifest,
            "databases": self.database,
            "decisions": self.decisions,
            "provenance": self.provenance,
            "names": self.name,
        }

    def recipe(self) -> Command:
        self._write("mutated.toml", mutate_toml(self._recipe, self._chance))
        return ["check", "mutated.toml"]

    def override(self) -> Command:
        texts = (b"steps.grain.amount=0.2", b"seed=3", b"source.size=24", b'title="x"', b"steps.0.use=1")
        text = mutate_bytes(self._chance.choice(texts), self._chance).replace(b"\0", b"")
        return ["check", "tiny.toml", "--set", text.decode("utf-8", "surrogateescape")]

    def training_recipe(self) -> Command:
        self._write("training.toml", mutate_toml(TRAINING_TOML, self._chance))
        return ["check", "training.toml"]

    def settings(self) -> Command:
        self._write("mutated.toml", mutate_toml(GALLERY_TOML, self._chance))
        return [*PUBLISH, "settings-site", "--settings", "mutated.toml"]

    def picks(self) -> Command:
        self._write("picks.json", mutate_json(self._picks, self._chance))
        return ["pick", "--from", "picks.json"]

    def manifest(self) -> Command:
        file = self._project / "site" / ".artgen-gallery.json"
        if not file.is_file():
            return [*PUBLISH, "site"]
        whole = self._project / "whole.json"
        if not whole.is_file():
            shutil.copy(file, whole)
        file.write_bytes(mutate_json(whole.read_bytes(), self._chance))
        return [*PUBLISH, "site", *self._chance.choice(([], ["--title", "Another"]))]

    def database(self) -> Command:
        shutil.rmtree(self._run)
        shutil.copytree(self._whole_run, self._run)
        mutate_database(self._run / "run.db", self._chance)
        name, site = self._run.name, ["--to", "run-site", "--workers", "1"]
        commands = [["runs"], ["runs", "--json"], ["pick", name, "1"], ["pick", name, "2", "--off"]]
        commands += [["publish", name, "--all", *site], ["curate", name, "--static", "sheet"]]
        return self._chance.choice([*commands, ["run", "tiny.toml", "-n", "6"], ["vary", name, "--queued"]])

    def decisions(self) -> Command:
        shutil.rmtree(self._run)
        shutil.copytree(self._whole_run, self._run)
        with (self._run / "decisions.jsonl").open("ab") as stream:
            stream.write(mutate_json(DECISION, self._chance).replace(b"\n", b" ") + b"\n")
        name, site = self._run.name, ["--to", "run-site", "--workers", "1"]
        commands = [["runs"], ["pick", name, "1"], ["pick", name, "2", "--off"]]
        return self._chance.choice(
            [*commands, ["publish", name, "--all", *site], ["curate", name, "--static", "s"]]
        )

    def provenance(self) -> Command:
        text = read_text(self._whole_run / "candidates" / self._picture.name)["artgen"]
        changed = mutate_json(text.encode(), self._chance)
        if self._chance.random() < 0.5:  # its recipe alone
            table = json.loads(text)
            recipe = mutate_toml(table["recipe"].encode(), self._chance).decode("utf-8", "replace")
            changed = json.dumps(table | {"recipe": recipe}).encode()
        whole = (self._whole_run / "candidates" / self._picture.name).read_bytes()
        content = _with_text(whole, changed)
        if self._chance.random() < 0.1:
            content = mutate_bytes(content, self._chance)
        self._write("piece.png", content)
        return ["reproduce", "piece.png", *self._chance.choice(([], ["--folder", "."], ["--json"]))]

    def name(self) -> Command:
        name = self._chance.choice(ODD_NAMES)
        return [*self._chance.choice(NAMED).split(), name * 2 if self._chance.random() < 0.1 else name]

    def _write(self, name: str, content: bytes) -> None:
        (self._project / name).write_bytes(content)


def _with_text(png: bytes, text: bytes) -> bytes:
    """Return a PNG with its own text chunk of artgen replaced."""
    body = b"artgen\0\0\0\0\0" + text
    chunk = len(body).to_bytes(4, "big") + b"iTXt" + body + zlib.crc32(b"iTXt" + body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]  # after the header; the first of a keyword counts


def _run(command: Command) -> tuple[object, str]:
    """Run a command; return its exit code, and what nobody can mend: a traceback, an odd end, or ``""``."""
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    started, code = time.process_time(), None
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            run_command(lambda: ARTGEN.main(command, prog_name="artgen", standalone_mode=False))
    except SystemExit as end:
        code = end.code
        output.seek(0)
        errors.seek(0)
        text = output.read() + errors.read()
        if "Traceback" in text or code not in (0, 2) or (code == 2 and not text.strip()):
            return code, f"exit code {code}: {text}"
    except BaseException:
        return code, traceback.format_exc()
    seconds = time.process_time() - started
    return code, f"took {seconds:.1f} s" if seconds > SLOW_SECONDS else ""


def attack(project: Path, seed: int, count: int) -> Iterator[tuple[str, Command, object, str]]:
    """Yield kind, command, exit code and problem of ``count`` inputs, each kind in turn."""
    chance = random.Random(seed)
    kinds = Attack(project, chance).kinds
    cheap = [kind for kind in kinds if kind not in ("manifests", "databases", "decisions")]
    order = [*kinds, *cheap * (CHEAP_INPUTS_PER_DEAR_ONE - 1)]
    for number in range(count):
        kind = order[number % len(order)]
        command = kinds[kind]()
        yield kind, command, *_run(command)


def main() -> None:
    project, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    inputs, codes, problems = Counter[str](), Counter[object](), []
    for kind, command, code, problem in attack(project, seed, count):
        inputs[kind] += 1
        codes[code] += 1
        if problem:
            problems.append({"kind": kind, "command": command, "problem": problem})
            if len(sys.argv) > 4:  # for whoever looks at it
                shutil.copytree(project, Path(sys.argv[4]) / str(inputs.total()), symlinks=True)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    report = {"inputs": inputs, "refused": codes[2], "problems": problems}
    report |= {"seconds": round(usage.ru_utime + usage.ru_stime), "memory_bytes": usage.ru_maxrss << 10}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
