"""Weights for features, and style nets of others, by ``artgen models`` in a process of its own."""

import json
from pathlib import Path

import pytest
import torch

from artgen.cli.models.checkpoints import import_
from artgen.errors import ArtgenError
from artgen.imaging.io.files import read_image, write_png
from artgen.models.features.vgg import load_vgg
from artgen.models.files.checkpoint import load_model
from artgen.steps import StepContext
from artgen.steps.style import StyleStep
from tests.cli.models.test_models import artgen
from tests.models.architectures.test_transformernet import published_output, published_state
from tests.models.features.test_convert import FIRST_LAYERS
from tests.models.features.test_vgg import save_network, torchvision


@pytest.mark.slow
def test_weights_from_a_file(tmp_path: Path) -> None:
    save_network(tmp_path / "vgg.pth", torchvision(FIRST_LAYERS))
    assert "none installed; `artgen models pull vgg19`" in artgen("models", folder=tmp_path).stdout
    missing = artgen("models", "show", "vgg19", folder=tmp_path)
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    command = ("models", "import", "vgg19", "vgg.pth", "--preprocessing", "caffe")
    done = artgen(*command, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "weights" / "vgg19.safetensors"
    assert done.stdout.splitlines() == [
        "vgg19: relu1_1 to relu3_1, from an unknown file",
        "expects: BGR x 255 minus the mean, as Caffe",
        f"file: {file}",
    ]
    assert load_vgg(file).layer_names[-1] == "relu3_1"
    assert artgen(*command, folder=tmp_path).stderr == (
        f"{file}: vgg19 is already installed; overwrite it with --force\n"
    )
    listed = json.loads(artgen("models", "list", "--json", folder=tmp_path).stdout)
    assert [(row["preprocessing"], row["file"]) for row in listed if row["name"] == "vgg19"] == [
        ("caffe", str(file))
    ]
    assert "\nvgg19             1.1 MB  VGG-19" in artgen("models", folder=tmp_path).stdout
    assert "preprocessing: caffe\n" in artgen("models", "show", "vgg19", folder=tmp_path).stdout
    assert "vgg19 is already installed" in artgen("models", "pull", "vgg19", folder=tmp_path).stdout


def test_what_cannot_be_is_one_message(tmp_path: Path) -> None:
    save_network(tmp_path / "vgg.pth", torchvision(FIRST_LAYERS))
    for arguments, says in (
        (("pull", "vgg91"), "did you mean 'vgg19'?"),
        (("pull", "vgg19", "--from", "http://127.0.0.1:9/vgg.pth"), "pull vgg19: 127.0.0.1:9: "),
        (("pull", "squeezenet"), "(try: artgen models import squeezenet FILE)"),
        (("import", "vgg19"), "import vgg19: no file"),
        (("import", "vgg91", "vgg.pth"), "did you mean 'vgg19'?"),
        (("import", "vgg19", "vgg.pth", "--norm", "batch"), "--norm: for the weights vgg19"),
        (("import", "vgg.pth", "--preprocessing", "caffe"), "only weights have it"),
    ):
        done = artgen("models", *arguments, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
        assert says in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_style_net_of_others(tmp_path: Path) -> None:
    state = published_state(8, 2)
    torch.save(state, tmp_path / "candy.pth")
    done = artgen("models", "import", "candy.pth", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "a style net of 2 blocks, 8 channels",
        "model: candy.safetensors",
        'in a recipe: use = "style", method = "net", model = "candy.safetensors", style = "candy"',
    ]
    assert load_model(tmp_path / "candy.safetensors").metadata["styles"] == '[{"name": "candy"}]'
    shown = artgen("models", "show", "candy.safetensors", folder=tmp_path).stdout
    table = shown.partition("in a recipe:\n")[2]
    assert 'method = "net"' in table
    (tmp_path / "recipe.toml").write_text(f'[source]\nuse = "crops"\n{table}', "utf-8")
    checked = artgen("check", "recipe.toml", folder=tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    write_png(tmp_path / "in.png", torch.rand(3, 32, 48), {})
    image = read_image(tmp_path / "in.png")
    (tmp_path / "candy.safetensors").rename(tmp_path / "sweet.safetensors")
    for style in ("candy", "sweet"):
        step = StyleStep(method="net", model="sweet.safetensors", style=[style])
        assert not list(step.validate_files(tmp_path))
    made = step.apply(image, StepContext(1, 1, "style", tmp_path, "cpu", False, lambda fraction: None))
    assert torch.allclose(made, (published_output(state, image[None] * 255) / 255).clamp(0, 1)[0], atol=1e-4)
    with pytest.raises(ArtgenError, match="these weights look like pytorch/examples fast_neural_style"):
        import_(str(tmp_path / "candy.pth"), arch="unet_256", force=True)
