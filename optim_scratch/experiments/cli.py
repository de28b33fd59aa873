"""`optim-lab`: list the recipes, run them, show what came out."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optim_scratch.checks import Integer
from optim_scratch.experiments import files, recipes, results

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for an error, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(words)
    try:
        options.action(options)
    except (ValueError, OSError) as error:
        print(f"optim-lab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        # a run that began afresh goes on without being asked to begin afresh
        again = shlex.join(["optim-lab", *(word for word in words if not _is_fresh(word))])
        print(f"\noptim-lab: interrupted; `{again}` goes on", file=sys.stderr)
        return INTERRUPTED
    return 0


def _is_fresh(word: str) -> bool:
    """Return whether argparse takes a word for --fresh, which may be shortened."""
    return len(word) > len("--") and "--fresh".startswith(word)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="optim-lab",
        description=__doc__,
        epilog="Images, checkpoints and trial records lie in .data and .runs of the folder that "
        "OPTIM_LAB_HOME names, else of the checkout, else of the present folder.",
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    listing = commands.add_parser("list", help="the recipes, and what the articles report of them")
    listing.set_defaults(action=_list)
    showing = commands.add_parser("show", help="the records of a suite")
    showing.add_argument("suite", nargs="?", help="a suite's name; all of them by default")
    showing.add_argument("--results", type=Path, help="folder of the records")
    showing.set_defaults(action=_show)
    _add_run(commands.add_parser("run", help="train recipes; an interrupted run goes on"))
    return parser


def _add_run(running: argparse.ArgumentParser) -> None:
    running.set_defaults(action=_run)
    add = running.add_argument
    add("recipes", nargs="+", metavar="recipe", help="names as `optim-lab list` gives them")
    seeds = running.add_mutually_exclusive_group()
    seeds.add_argument("--seed", type=int, default=0, help="one seed (default 0)")
    seeds.add_argument("--seeds", type=int, metavar="N", help="the seeds 0 to N-1")
    add("--data", default="cifar10", help="cifar10 (default), synthetic[:N], or a path")
    add("--device", default="cpu", help="cpu (default), cuda, ...")
    add("--precision", default="float32", help="float32 (default) or bfloat16")
    add("--compile", action="store_true", help="compile the network (pays on a GPU)")
    add("--threads", type=int, help="CPU threads (default: all)")
    add("--ours", action="store_true",
        help="the optimizer of this package in place of torch's, on a CPU: a trial")  # fmt: skip
    add("--epochs", type=int, help="fewer or more epochs than the recipe has")
    add("--fresh", action="store_true", help="start again, and replace what is there")
    add("--results", type=Path, help="folder of the records (default: in a checkout the "
        "package's, elsewhere ./results; .runs/results for trials)")  # fmt: skip


def _list(options: argparse.Namespace) -> None:
    width = max(len(recipe.name) for recipe in recipes.RECIPES)
    for recipe in recipes.RECIPES:
        print(f"{recipe.name:{width}s} {_rates(recipe)}")
        print(f"{'':{width}s} {recipe.suite} reports: {recipe.reports}")


def _rates(recipe: recipes.Recipe) -> str:
    rates = f"lr {recipe.optimizer_arguments['lr']}"
    if recipe.scheduler is None:
        return f"{rates}, {recipe.epochs} epochs"
    schedule = _call({"scheduler": recipe.scheduler, **recipe.scheduler_arguments})
    return f"{rates}, {schedule} at the {recipe.scheduler_steps} of {recipe.epochs} epochs"


def _call(described: Mapping[str, object]) -> str:
    """Return a scheduler as it would be written, and within it those that it is made of."""
    arguments = ", ".join(
        f"{key}={_call(value) if isinstance(value, Mapping) else value}"
        for key, value in described.items()
        if key != "scheduler"
    )
    return f"{described['scheduler']}({arguments})"


def _show(options: argparse.Namespace) -> None:
    names = [options.suite] if options.suite else results.suites(options.results)
    if not names:
        raise ValueError("there are no records yet; `optim-lab run constant` makes the first")
    for name in names:
        records = results.records(name, options.results)
        width = max((len(_name(record)) for record in records), default=0)
        columns = f"{'run':{width}s} {'data':15s} {'epochs':>6s} {'train':>7s} {'test':>7s}"
        print(f"{name}\n  {columns}")
        for record in records:
            print(f"  {_summary(record, width)}")


def _name(record: dict[str, Any]) -> str:
    return f"{record['recipe']['name']} seed {record['seed']}"


def _summary(record: dict[str, Any], width: int = 0) -> str:
    text = f"{_name(record):{width}s} {record['data']:15s} {len(record['epochs']):6d}"
    if record["epochs"]:
        last = record["epochs"][-1]
        text += f" {last['train_accuracy']:7.1%} {last['test_accuracy']:7.1%}"
    if record["diverged"]:
        text += "  diverged in epoch {epoch}, step {step}".format(**record["diverged"])
    return text


def _run(options: argparse.Namespace) -> None:
    chosen, seeds = _chosen(options), _seeds(options)
    try:
        import torch
    except ModuleNotFoundError as error:
        packages = "torch tqdm pandas pillow matplotlib"  # by name, ours is on no package index
        raise ValueError(f"running needs torch: pip install {packages}") from error
    from optim_scratch.experiments import data, train
    from optim_scratch.experiments.places import Place

    settings = train.Settings(
        device=options.device,
        precision=options.precision,
        compiled=options.compile,
        threads=torch.get_num_threads() if options.threads is None else options.threads,
    )
    images = data.load(options.data)
    trial = options.epochs is not None or options.ours or images.name == "synthetic"
    folder = options.results or (files.runs_folder() / "results" if trial else None)
    runs = [(recipe, seed) for recipe in chosen for seed in seeds]
    places = [Place.of(recipe, seed, images, settings, folder) for recipe, seed in runs]
    if options.fresh:  # all of them, so that an interruption forgets none
        for place in places:
            place.begin_afresh()
    for (recipe, seed), place in zip(runs, places, strict=True):
        _run_one(recipe, seed, images, settings, place)


def _chosen(options: argparse.Namespace) -> list[recipes.Recipe]:
    """Return the recipes that the words name, changed as they ask."""
    chosen = [recipes.find(name) for name in options.recipes]
    if options.epochs is not None:
        chosen = [replace(recipe, epochs=options.epochs) for recipe in chosen]
    if options.ours:
        chosen = [
            replace(recipe, name=f"{recipe.name}-ours", library="optim_scratch")
            for recipe in chosen
        ]
    return chosen


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seeds is None:
        return [Integer(0).check("seed", options.seed)]
    if options.seeds < 1:
        raise ValueError(f"seeds must be at least 1, got {options.seeds}")
    return list(range(options.seeds))


def _run_one(recipe: recipes.Recipe, seed: int, images: Any, settings: Any, place: Any) -> None:
    """Run one recipe with one seed, unless its record is there, and write the record."""
    from optim_scratch.experiments import progress, train

    if reason := place.reason_to_keep():
        print(reason)
        return
    watcher = progress.watcher(f"{recipe.name} seed {seed}")
    record = train.train(recipe, seed, images, settings, place.checkpoint, watcher)
    results.write(record, place.folder)
    place.clear()
    print(f"{_summary(record)}  -> {place.record}")
