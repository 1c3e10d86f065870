"""``artgen models`` in a process of its own: the list, a file's own words, checkpoints in and out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from artgen.models.architectures.resnet import ResNet, ResNetConfig
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files import catalog
from artgen.models.files.checkpoint import load_model, save_model
from artgen.references import find_images
from tests.models.published import resnet_state, unet_state

ROOT = Path(__file__).resolve().parents[3]
RECIPE = """
[source]
use = "photos"

[[steps]]
use = "translate"
model = "net.safetensors"
style = "wave"

[[steps]]
use = "upscale"
model = "net.safetensors"
"""


def artgen(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "artgen", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ARTGEN_MODELS": str(folder / "weights")},
    )


def test_the_list(tmp_path: Path) -> None:
    done = artgen("models", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nabstract-8x " in f"\n{done.stdout}"
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert artgen("models", "list", folder=tmp_path).stdout == done.stdout
    listed = json.loads(artgen("models", "--json", folder=tmp_path).stdout)
    assert listed == json.loads(artgen("models", "list", "--json", folder=tmp_path).stdout)
    assert [model["name"] for model in listed] == catalog.shipped_model_names()


def test_the_list_has_what_was_trained_here(tmp_path: Path) -> None:
    for place in ("training-runs/sea", "training-runs/hills", "training-runs/sea/deeper"):
        (tmp_path / place).mkdir(parents=True)
    network = ResNet(ResNetConfig(width=4, blocks=1))
    said = {"description": "Waves.\x1b[2J", "metrics": '{"l1": 0.25}', "name": "abstract-8x"}
    for name in ("sea/sea", "sea/deeper/sea"):
        save_model(tmp_path / f"training-runs/{name}.safetensors", network, said)
    (tmp_path / "training-runs/hills/hills.safetensors").write_bytes(b"cut")
    lines = artgen("models", folder=tmp_path).stdout.splitlines()
    assert lines[lines.index("trained here") + 1 :] == [
        "training-runs/hills/hills.safetensors  not a safetensors file",
        "training-runs/sea/sea.safetensors  0.0 MB  Waves. [2J",
        "  l1 0.25",
    ]
    listed = json.loads(artgen("models", "--json", folder=tmp_path).stdout)
    assert [(model["name"], model["shipped"]) for model in listed] == [
        *((name, True) for name in catalog.shipped_model_names()),
        ("training-runs/hills/hills.safetensors", False),
        ("training-runs/sea/sea.safetensors", False),
    ]
    assert "not a safetensors file" in listed[-2]["problem"]


def test_show(tmp_path: Path) -> None:
    network = ResNet(ResNetConfig(width=4, blocks=2))
    said = {"title": "Sea\x1b[2J", "inputs": '{"use": "edges"}', "metrics": '{"l1": 0.25}', "x": "[" * 9999}
    save_model(tmp_path / "sea.safetensors", network, said)
    lines = artgen("models", "show", "sea.safetensors", folder=tmp_path).stdout.splitlines()
    assert "architecture: resnet, 0.01 M numbers; for the step `translate`" in lines
    assert "title: Sea [2J" in lines
    assert "inputs: use edges" in lines
    assert "metrics: l1 0.25" in lines
    shown = json.loads(artgen("models", "show", "sea.safetensors", "--json", folder=tmp_path).stdout)
    assert shown["config"] == network.config.model_dump()
    assert shown["metrics"] == {"l1": 0.25}
    assert shown["numbers"] == sum(weight.numel() for weight in network.state_dict().values())
    missing = artgen("models", "show", "abstrct-8x", folder=tmp_path)
    assert missing.returncode == 2
    assert "did you mean 'abstract-8x'" in missing.stderr


@pytest.mark.slow
def test_show_says_how_a_recipe_uses_what_ships(tmp_path: Path) -> None:
    recipes = []
    for name in catalog.shipped_model_names():
        done = artgen("models", "show", name, folder=tmp_path)
        table = done.stdout.partition("\nin a recipe:\n")[2]
        assert f'model = "{name}"' in table
        recipes.append(tmp_path / f"{name}.toml")
        source = "" if "[source]" in table else '[source]\nuse = "crops"\n'
        recipes[-1].write_text(source + table, "utf-8")
        if name == "styles":
            assert 'for the step `style` with `method = "net"`' in done.stdout
            assert 'use = "style"\nmethod = "net"\n' in table
    checked = artgen("check", *recipes, folder=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.slow
def test_measure(tmp_path: Path) -> None:
    torch.manual_seed(1)
    file = tmp_path / "small.safetensors"
    said = {"title": "small", "metrics": '{"consistency": 30.0}'}
    save_model(file, UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))), said)
    file.with_suffix(".md").write_text("# small\n\nA card.\n\n## What it is bad at\n\nAll.\n", "utf-8")
    before = load_model(file).network.state_dict()
    photograph = str(find_images("builtin:textures", tmp_path)[0])
    command = ("models", "measure", file.name)
    done = artgen(*command, "--data", photograph, "--most", "2", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        f"small.safetensors, measured on 1 square of {photograph}, 128 px to 256 px\n"
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("reduced picture against input"))
    measured, card, difference = map(float, line.split()[-3:])
    assert card == 30
    assert abs(measured - card - difference) < 0.11
    done = artgen(*command, "--write", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["on"] == "16 squares of builtin:paintings, 128 px to 256 px"
    model = load_model(file)
    assert json.loads(model.metadata["metrics_shipped"]) == report["figures"]
    assert model.metadata["metrics"] == said["metrics"]
    assert all(torch.equal(weight, before[key]) for key, weight in model.network.state_dict().items())
    text = file.with_suffix(".md").read_text("utf-8")
    assert text.index("A card.") < text.index("On 16 squares of builtin:paintings") < text.index("bad at")
    done = artgen(*command, "--write", "--data", photograph, folder=tmp_path)
    assert done.returncode == 2
    assert "--write with --data or --most; the file says what anybody can compute again" in done.stderr


@pytest.mark.slow
def test_a_checkpoint_in_and_out(tmp_path: Path) -> None:
    torch.manual_seed(1)
    state = unet_state(8, 4, inputs=1)
    torch.save(state, tmp_path / "latest_net_G.pth")
    done = artgen("models", "import", "latest_net_G.pth", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("unet_256 with 4 channels, 1 to 3 in pictures, batch norm\n")
    metadata = load_model(tmp_path / "latest_net_G.safetensors").metadata
    assert json.loads(metadata["origin"])["file"] == "latest_net_G.pth"
    done = artgen("models", "export", "latest_net_G.safetensors", "-o", "out.pth", folder=tmp_path)
    options = "--netG unet_256 --ngf 4 --norm batch --eval --input_nc 1 --output_nc 3"
    assert done.stdout == f"checkpoint: out.pth\nto be loaded with: {options}\n"
    again = torch.load(tmp_path / "out.pth", weights_only=True)
    assert again.keys() == state.keys()
    assert all(torch.equal(again[name], weight) for name, weight in state.items())


@pytest.mark.slow
def test_what_is_asked_for_wrongly_is_said(tmp_path: Path) -> None:
    torch.save(resnet_state(6, 4), tmp_path / "G.pth")
    done = artgen("models", "import", "G.pth", "--arch", "unet_256", folder=tmp_path)
    assert done.returncode == 2
    assert "look like resnet_6blocks with 4 channels, instance norm; --arch resnet_6blocks" in done.stderr
    done = artgen("models", "import", "G.pth", "-o", "G.onnx", folder=tmp_path)
    assert (done.returncode, "ends in .safetensors" in done.stderr) == (2, True)
    done = artgen("models", "export", "abstract-8x", "-o", "out.pth", folder=tmp_path)
    assert (done.returncode, "architecture 'upimage'" in done.stderr) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["G.pth"]


@pytest.mark.slow
def test_nothing_is_written_over_by_mistake(tmp_path: Path) -> None:
    torch.save(resnet_state(6, 4), tmp_path / "G.pth")
    model = tmp_path / "G.safetensors"
    save_model(model, ResNet(ResNetConfig(width=8, blocks=1)), {})
    before = model.read_bytes()
    done = artgen("models", "import", "G.pth", folder=tmp_path)
    assert done.returncode == 2
    assert "G.safetensors: a model of this name already exists; name another with -o" in done.stderr
    done = artgen("models", "export", "G.safetensors", "-o", "./G.safetensors", folder=tmp_path)
    assert done.returncode == 2
    assert "--output G.safetensors: the model itself; a name that ends in .pth" in done.stderr
    assert model.read_bytes() == before
    assert artgen("models", "import", "G.pth", "--force", folder=tmp_path).returncode == 0
    assert model.read_bytes() != before


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch '{tmp_path / 'ran'}'",)

    torch.save({"state_dict": Attack()}, tmp_path / "G.pth")
    done = artgen("models", "import", "G.pth", folder=tmp_path)
    assert done.returncode == 2
    assert f"would call {os.name}.system; nothing of it was run" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()


def test_check_names_a_model_of_the_wrong_kind_without_torch(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text(RECIPE, "utf-8")
    save_model(tmp_path / "net.safetensors", UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))), {})
    done = artgen("check", "r.toml", folder=tmp_path)
    assert done.returncode == 2
    assert (
        "r.toml:7: steps.translate.model: 'net.safetensors' is of the architecture 'upimage'; here a model "
        "must be unet or resnet or fast-style or transformer-net; upimage is for the step `upscale`"
    ) in done.stderr
    save_model(tmp_path / "net.safetensors", ResNet(ResNetConfig(width=4, blocks=1)), {})
    done = artgen("check", "r.toml", folder=tmp_path)
    assert "r.toml:8: steps.translate.style: 'wave'; net has no styles to choose from" in done.stderr
    assert "is of the architecture 'resnet'; here a model must be upimage; resnet is for" in done.stderr
    code = f"""
import sys
from artgen.cli import app
try:
    app(["check", {str(tmp_path / "r.toml")!r}], prog_name="artgen", standalone_mode=False)
except Exception:
    pass
print("torch" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.strip() == "False"
