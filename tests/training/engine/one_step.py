"""One step of a recipe, its gradients saved; run alone or by ``torchrun`` (see test_processes.py).

python one_step.py RECIPE FOLDER GRADIENTS.pt
"""

import sys
from pathlib import Path

import torch

from artgen.events import ignore
from artgen.training.engine.loop import chance, step
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import Job, prepare


def main(recipe: Path, folder: Path, out: Path) -> None:
    torch.set_num_threads(1)
    ready = prepare(Job(load_training_recipe(recipe), folder, beside=recipe.parent), ignore)
    with chance(0, 0, ready.family):
        step(ready.family, ready.family.draw(0), 0.9, ready.accelerator)
    if ready.accelerator.is_main_process:
        gradients = {
            f"{name}.{key}": weight.grad
            for name, network in ready.family.networks.items()
            for key, weight in network.named_parameters()
            if weight.grad is not None
        }
        torch.save({"gradients": gradients, "processes": ready.accelerator.num_processes}, out)
    ready.accelerator.wait_for_everyone()
    ready.accelerator.end_training()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
