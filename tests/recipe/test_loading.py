import json
import pickle
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artgen.config.document import find_key_lines
from artgen.errors import ArtgenError, ValidationErrors
from artgen.recipe import Recipe, draw_candidate, load_recipe, recipe_schema
from artgen.steps import STEPS

FULL_RECIPE = """\
# A recipe.
title = "Abstracts"     # of a kind
seed = 2017
candidates = 24

[source]
use = "crops"
images = "builtin:textures"
size = { choice = [24, 32] }

[[steps]]
use = "grade"
contrast = { uniform = [0.0, 0.5] }
warmth = 0.1

[[steps]]
use = "style"
style = { choice = ["builtin:great-wave", ["builtin:the-kiss", "builtin:the-scream"]] }
strength = { log_uniform = [0.2, 1.0] }

[[steps]]
use = "grain"
id = "dust"
amount = 0.3

[gallery]
caption = "After a {source} thumbnail, candidate {index}"
"""


CASES = tomllib.loads((Path(__file__).parent / "recipe_problems.toml").read_text("utf-8"))["case"]


def write(folder: Path, text: str, name: str = "recipe.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def load_errors(folder: Path, text: str, *overrides: str) -> list[str]:
    path = write(folder, text)
    with pytest.raises(ValidationErrors) as caught:
        load_recipe(path, overrides)
    return [str(problem).replace(str(path), "FILE") for problem in caught.value.errors]


def load_or_errors(path: Path, *overrides: str) -> tuple[Recipe | None, Sequence[ArtgenError]]:
    try:
        return load_recipe(path, overrides), ()
    except ValidationErrors as found:
        return None, found.errors


def test_a_whole_recipe(tmp_path: Path) -> None:
    path = write(tmp_path, FULL_RECIPE)
    recipe = load_recipe(path)
    assert (recipe.title, recipe.seed, recipe.candidates) == ("Abstracts", 2017, 24)
    assert (recipe.path, recipe.folder, recipe.text) == (path, tmp_path, FULL_RECIPE)
    assert recipe.step_ids() == ("grade", "style", "dust")
    assert recipe.caption(7, 2017, "32 px") == "After a 32 px thumbnail, candidate 7"
    assert pickle.loads(pickle.dumps(recipe)).path == path


def test_a_recipe_may_be_short(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, '[source]\nuse = "crops"\n', "night-sky.toml"))
    assert recipe.title == "Night sky"
    assert recipe.steps == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["new"])
def test_each_problem_says_where_what_and_what_would_be_right(tmp_path: Path, case: dict[str, str]) -> None:
    assert case["old"] in FULL_RECIPE
    found = load_errors(tmp_path, FULL_RECIPE.replace(case["old"], case["new"], 1))
    assert len(found) == 1, found
    assert found[0].startswith(case["says"])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("9" * 5000, "FILE: not TOML: a number of too many digits"),
        ("[" * 5000 + "]" * 5000, "FILE: nested too deeply"),
        ("[" * 60 + "]" * 60, "FILE: nested too deeply"),
        ("[" * 5000, "FILE: nested too deeply"),
    ],
    ids=["digits", "deeper than Python", "deeper than sense", "unclosed"],
)
def test_values_beyond_reason(tmp_path: Path, value: str, expected: str) -> None:
    (found,) = load_errors(tmp_path, FULL_RECIPE.replace("warmth = 0.1", f"warmth = {value}"))
    assert found.startswith(expected)


def test_all_problems_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = FULL_RECIPE.replace("seed =", "sead =").replace("24, 32", "1, 2").replace("great-wave", "wave")
    text = text.replace("0.2, 1.0", "0, 9").replace('"dust"', '"grade"').replace("{index}", "{x}")
    lines = [int(problem.split(":")[1]) for problem in load_errors(tmp_path, text)]
    assert lines == sorted(lines)
    assert lines == [3, 9, 9, 18, 19, 21, 27]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0", "not a text file"),
        (b'title = "caf\xe9"\n', "byte 0xe9 is not UTF-8"),
        (b"\n\n\xff\xfe", "byte 0xff is not UTF-8"),
        (b"#" * 200_001, "larger than 200 kB"),
        (b"", "missing"),
        (b"[source]\r\nuse = 'crops'\r\nsize = 1\r\n", "whole number from 8 to 256"),
        (b"source = 3", "source is a table"),
        (b'steps = 3\n[source]\nuse = "crops"', "steps are written [[steps]]"),
        (b'steps = [1, "x"]\n[source]\nuse = "crops"', "steps.0 is a table"),
        (b'gallery = 1\n[source]\nuse = "crops"', "it is written [gallery]"),
        (b'family = "upimage"', "a training recipe; it makes a model (try: artgen train "),
        (b'[source]\nuse = ["crops"]', "source.use: [\"crops\"]; did you mean 'crops'?"),
    ],
)
def test_files_that_are_no_recipes(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    with pytest.raises(ValidationErrors) as caught:
        load_recipe(path)
    assert expected in str(caught.value)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FULL_RECIPE.encode())
    assert load_recipe(path).seed == 2017


def test_missing_files_and_folders(tmp_path: Path) -> None:
    write(tmp_path, FULL_RECIPE, "abstracts.toml")
    with pytest.raises(ValidationErrors, match=r"no such file; did you mean .*abstracts.toml"):
        load_recipe(tmp_path / "abstract.toml")
    with pytest.raises(ValidationErrors, match="a folder; name the recipe file in it"):
        load_recipe(tmp_path)
    with pytest.raises(ValidationErrors, match="cannot be read"):
        load_recipe("\0")
    with pytest.raises(ValidationErrors, match="cannot be read"):
        load_recipe(tmp_path / ("x" * 5000))


def test_thousands_of_wrong_keys_are_refused_quickly(tmp_path: Path) -> None:
    text = "".join(f"k{number} = {{ a = [1, 2] }}\n" for number in range(8_000))[:199_000]
    path = write(tmp_path, text.rpartition("\n")[0])
    started = time.perf_counter()
    with pytest.raises(ValidationErrors):
        load_recipe(path)
    assert time.perf_counter() - started < 10


def test_overrides(tmp_path: Path) -> None:
    path = write(tmp_path, FULL_RECIPE)
    changes = [
        "steps.dust.amount=0.5",
        "steps.0.warmth.uniform=[0, 0.2]",
        "steps.style.preset=bold",
        "source.size=48",
        "gallery.caption=no {index}",
        "candidates=3",
    ]
    recipe = load_recipe(path, changes)
    assert recipe.candidates == 3
    assert recipe.model_dump(mode="json", include={"source": {"size"}}) == {"source": {"size": 48}}
    grade, style, dust = (step.model_dump(mode="json") for step in recipe.steps)
    assert grade["warmth"] == {"uniform": [0.0, 0.2]}
    assert (style["preset"], dust["amount"]) == ("bold", 0.5)
    assert "# of a kind" in recipe.text
    # What a run stores is the same recipe.
    again = load_recipe(write(tmp_path, recipe.text, "again.toml"))
    assert again.digest() == recipe.digest() != load_recipe(path).digest()


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("steps.dost.amount=1", "no step 'dost'; did you mean 'dust'?"),
        ("steps.dust.amout=1", "steps.dust.amout: unknown key; did you mean 'amount'?"),
        ("steps.dust.amount=2", "steps.dust.amount: 2; must be a number from 0 to 1"),
        ("steps.dust.amount=[0", "[0 is not a TOML value"),
        ("steps.7.amount=1", "no step '7'; known: grade, style, dust"),
        ("steps.dust=1", "names no field of a step"),
        ("source=1", "names no field of [source]"),
        ("sead=1", "--set sead=1: sead: unknown key; did you mean 'seed'?"),
        ("seed", "not of the form KEY=VALUE"),
        ("=1", "not of the form KEY=VALUE"),
        ("source..size=1", "not of the form KEY=VALUE"),
        ("steps.dust.amount.a.b=1", "too many dots"),
        ("seed=1\nx = 2", "letters that are not text"),
        ("seed=1 # x", "must be a whole number"),
        ("seed=" + "9" * 5000, "must be a whole number"),
    ],
)  # fmt: skip
def test_wrong_overrides(tmp_path: Path, option: str, expected: str) -> None:
    if option == "seed=1 # x":
        assert load_recipe(write(tmp_path, FULL_RECIPE), [option]).seed == 1
        return
    (found,) = load_errors(tmp_path, FULL_RECIPE, option)
    assert expected in found


def test_an_override_of_a_step_that_is_no_table(tmp_path: Path) -> None:
    found = load_errors(tmp_path, 'steps = [1]\n[source]\nuse = "crops"\n', "steps.0.x=1")
    assert any("steps.0 is no table in this recipe" in problem for problem in found)


@pytest.mark.parametrize("reference", ["~nosuchuser/x", "x" * 300])
@pytest.mark.parametrize("field", ["images", "style", "model"])
def test_names_that_the_system_refuses(tmp_path: Path, field: str, reference: str) -> None:
    text = FULL_RECIPE.replace('use = "grain"', 'use = "upscale"')
    text = text.replace("amount = 0.3", 'model = "abstract-8x"')
    old = {"images": "builtin:textures", "style": "builtin:great-wave", "model": "abstract-8x"}[field]
    (found,) = load_errors(tmp_path, text.replace(old, reference))
    assert "cannot be read as a path" in found


def test_draws_depend_on_nothing_but_their_own_names(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, FULL_RECIPE))
    seventh = draw_candidate(recipe, 2017, 7).draws
    assert set(seventh) == {"source", "grade", "style"}
    for candidate in range(1, 40):
        if candidate == 7:
            assert draw_candidate(recipe, 2017, candidate).draws == seventh
    grain = (
        '[[steps]]\nuse = "grain"\nid = "early"\namount = { uniform = [0, 1] }\n\n[[steps]]\nuse = "grade"'
    )
    longer = load_recipe(write(tmp_path, FULL_RECIPE.replace('[[steps]]\nuse = "grade"', grain)))
    drawn = draw_candidate(longer, 2017, 7).draws
    assert drawn.pop("early")
    assert drawn == seventh
    drawn_warmth = FULL_RECIPE.replace("warmth = 0.1", "warmth = { uniform = [0, 0.1] }")
    more = load_recipe(write(tmp_path, drawn_warmth))
    drawn = draw_candidate(more, 2017, 7).draws
    assert drawn["grade"].pop("warmth") is not None
    assert drawn == seventh
    assert draw_candidate(recipe, 2018, 7).draws != seventh != draw_candidate(recipe, 2017, 8).draws


def test_drawn_values_can_be_written_into_a_recipe(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, FULL_RECIPE))
    drawn = draw_candidate(recipe, 2017, 3)
    by_step = {step: values for step, values in drawn.draws.items() if step != "source"}
    fixed = [
        f"steps.{step}.{field}={json.dumps(v)}" for step in by_step for field, v in by_step[step].items()
    ]
    again = draw_candidate(
        load_recipe(recipe.path, [*fixed, f"source.size={drawn.draws['source']['size']}"]), 2017, 3
    )
    assert (again.source, again.steps, again.draws) == (drawn.source, drawn.steps, {})


def test_a_run_of_another_way_of_drawing_is_not_continued(tmp_path: Path) -> None:
    drawn = load_recipe(write(tmp_path, FULL_RECIPE))
    assert drawn.digest(draw_scheme=1) != drawn.digest() != drawn.digest(draw_scheme=3)
    fixed = load_recipe(write(tmp_path, '[source]\nuse = "crops"\nimages = "builtin:textures"\n'))
    assert fixed.digest(draw_scheme=1) == fixed.digest()


def test_the_digest_is_of_what_decides_pixels(tmp_path: Path) -> None:
    digest = load_recipe(write(tmp_path, FULL_RECIPE)).digest()
    for same in ("candidates = 12", "candidates = 24 # many", 'candidates = 24\ndescription = "x"'):
        assert load_recipe(write(tmp_path, FULL_RECIPE.replace("candidates = 24", same))).digest() == digest
    assert (
        load_recipe(write(tmp_path, FULL_RECIPE.replace("warmth = 0.1", "warmth = 0.1\nblack = 0"))).digest()
        == digest
    )
    for other in ("seed = 2018", "seed = 0"):
        assert load_recipe(write(tmp_path, FULL_RECIPE.replace("seed = 2017", other))).digest() != digest
    assert load_recipe(write(tmp_path, FULL_RECIPE.replace("0.1", "0.2"))).digest() != digest


def test_lines_of_odd_but_valid_toml() -> None:
    text = 'a.b = [1,\n # ]\n "]",\n]\n"q.k" = """\nx = 1\n[t]\n"""\n[ s . "t" ]\n'
    text += "'u' = {v=1}\n[[w]]\n[w.x]\ny=1\n[[w]]"
    found = find_key_lines(text)
    assert found[("a", "b")] == 1
    assert found[("q.k",)] == 5
    assert found[("s", "t", "u")] == 10
    assert found[("w", 0, "x", "y")] == 13
    assert found[("w", 1)] == 14


def _mutations() -> st.SearchStrategy[str]:
    place = st.integers(0, len(FULL_RECIPE) - 1)
    words = st.sampled_from(
        [
            "use",
            "uniform",
            '"',
            "[",
            "]",
            "{",
            "}",
            "=",
            "\n",
            "[[steps]]",
            "9e999",
            "-1",
            "true",
            "nan",
            "é",
            "\t",
        ]
    )
    letters = st.characters(codec="utf-8")
    insert = st.tuples(place, words | letters).map(lambda p: lambda t: t[: p[0]] + p[1] + t[p[0] :])
    delete = st.tuples(place, st.integers(1, 12)).map(lambda p: lambda t: t[: p[0]] + t[p[0] + p[1] :])
    replace = st.tuples(place, letters).map(lambda p: lambda t: t[: p[0]] + p[1] + t[p[0] + 1 :])
    values = [
        "0.1",
        "2017",
        '"crops"',
        "{ uniform = [0.0, 0.5] }",
        '"builtin:textures"',
        "24",
        '"dust"',
        "0.3",
    ]
    types = ["true", '"word"', "[]", "{}", "1e400", "-0.0", "1979-05-27T07:32:00Z", "[[1]]", "0x10", "''"]
    types += ["{ choice = [{}] }", "{ integer = [0, inf] }", '{ choice = ["a", 1] }', "9223372036854775808"]
    swap = st.tuples(st.sampled_from(values), st.sampled_from(types)).map(lambda p: lambda t: t.replace(*p))
    keys = [
        "title",
        "seed",
        "source",
        "use",
        "images",
        "contrast",
        "choice",
        "uniform",
        "steps",
        "id",
        "caption",
    ]
    others = st.sampled_from(keys) | st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
    rename = st.tuples(st.sampled_from(keys), others).map(lambda p: lambda t: t.replace(*p))
    changes = st.lists(insert | delete | replace | swap | rename, min_size=1, max_size=4)
    return changes.map(lambda edits: _edited(FULL_RECIPE, edits))


def _edited(text: str, edits: list) -> str:
    for edit in edits:
        text = edit(text)
    return text


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_mutations())
def test_a_mutated_recipe_is_right_or_clearly_wrong(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, text)
    recipe, found = load_or_errors(path)
    assert (recipe is None) == bool(found)
    for problem in found:
        assert isinstance(problem, ArtgenError)
        assert str(path) in problem.where
        assert problem.problem
        assert len(str(problem)) < 2000
    if recipe:
        draw_candidate(recipe, recipe.seed, 1)
        assert len(recipe.digest()) == 64


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    option=st.text(max_size=30)
    | st.from_regex(r"(steps|source|gallery)\.[a-z0-9]+\.?[a-z]*=.{0,12}", fullmatch=True)
)
def test_any_override_is_right_or_clearly_wrong(tmp_path: Path, option: str) -> None:
    path = write(tmp_path, FULL_RECIPE)
    _, found = load_or_errors(path, option)
    assert all(problem.where.startswith("--set") for problem in found)


def test_the_schema_knows_draws_and_every_step() -> None:
    whole = recipe_schema()
    text = json.dumps(whole)
    assert '"null"' not in text
    steps = whole["properties"]["steps"]["items"]
    assert set(steps["discriminator"]["mapping"]) == set(STEPS.names())
    warmth = whole["$defs"]["GradeStep"]["properties"]["warmth"]
    assert warmth["oneOf"][0] == {"type": "number", "minimum": -1, "maximum": 1}
    assert [next(iter(b["properties"])) for b in warmth["oneOf"][1:]] == [
        "choice",
        "uniform",
        "log_uniform",
        "integer",
    ]
    assert whole["$defs"]["GradeStep"]["required"] == ["use"]


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("seed = 0,2", "decimals are written with a point: key = 0.2"),
        ("title = “Sea”", 'quotes are straight: key = "word"'),
        ("title = ‘Sea’", 'quotes are straight: key = "word"'),
        ('title = "..\\pictures"', "folders are separated by slashes"),
    ],
)
def test_what_people_type_instead_of_toml_gets_a_hint(tmp_path: Path, line: str, hint: str) -> None:
    (tmp_path / "a.toml").write_text(f"{line}\n", "utf-8")
    with pytest.raises(ValidationErrors) as raised:
        load_recipe(tmp_path / "a.toml")
    assert hint in str(raised.value)


def test_too_many_steps_are_counted(tmp_path: Path) -> None:
    steps = "".join(f'[[steps]]\nuse = "grain"\nid = "g{number}"\n' for number in range(101))
    (tmp_path / "a.toml").write_text(f'[source]\nuse = "crops"\n{steps}')
    with pytest.raises(ValidationErrors, match="steps: 101 entries; at most 100"):
        load_recipe(tmp_path / "a.toml")
