"""Run one training step of a recipe and save its gradients, alone or by ``torchrun`` (test_processes.py).

python one_step.py RECIPE FOLDER GRADIENTS.pt
"""

import sys
from pathlib import Path

import torch

from artgen.events import ignore_event
from artgen.training.engine.loop import run_step, seeded_dropout
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training


def main(recipe: Path, folder: Path, gradients_file: Path) -> None:
    torch.set_num_threads(1)
    prepared = prepare_training(
        TrainingJob(load_training_recipe(recipe), folder, recipe_folder=recipe.parent), ignore_event
    )
    with seeded_dropout(0, 0, prepared.family):
        run_step(prepared.family, prepared.family.draw_batch(0), 0.9, prepared.accelerator)
    if prepared.accelerator.is_main_process:
        gradients = {
            f"{name}.{key}": weight.grad
            for name, network in prepared.family.networks.items()
            for key, weight in network.named_parameters()
            if weight.grad is not None
        }
        torch.save({"gradients": gradients, "processes": prepared.accelerator.num_processes}, gradients_file)
    prepared.accelerator.wait_for_everyone()
    prepared.accelerator.end_training()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
