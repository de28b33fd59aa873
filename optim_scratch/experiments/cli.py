"""`optim-lab`: list the recipes, run them, show what came out."""

import argparse
import importlib
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from optim_scratch.checks import Integer
from optim_scratch.experiments import files, recipes, results
from optim_scratch.experiments.endings import Endings
from optim_scratch.experiments.terminal import say, settle, shown, told

ENDED = 128
"""What a shell adds the number of the signal to that ended a command."""
NEEDED = {"torch": "torch", "tqdm": "tqdm", "PIL": "pillow"}
"""The modules that a run needs beside NumPy, and the packages that they come in."""
PATIENCE = 10.0
"""Seconds of silence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    That is 0, 2 for an error, or 128 and the number of the signal that ended it: 130 for Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    with Endings() as endings:
        try:
            return _outcome(words, endings)
        finally:
            settle()


def _outcome(words: list[str], endings: Endings) -> int:
    options = _parser().parse_args(words)
    try:
        options.action(options, endings)
        if options.action is not _run and sys.stdout is not None:
            sys.stdout.flush()  # what was asked for is what is printed
    except BrokenPipeError:  # `optim-lab list | head -1`: the reader has had enough
        return ENDED + 13  # as other commands, which SIGPIPE ends
    except (ValueError, OSError, MemoryError) as error:
        say(f"optim-lab: {shown(str(error)) or 'not enough memory'}")
        return 2
    except KeyboardInterrupt as error:
        return _ended(words, options, getattr(error, "number", signal.SIGINT))
    return 0


def _ended(words: list[str], options: argparse.Namespace, number: int) -> int:
    how = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
    if options.action is _run:
        # what has begun afresh goes on without being asked to begin afresh
        kept = [word for word in words if options.fresh or not _is_fresh(word)]
        how += f"; `{shlex.join(['optim-lab', *kept])}` goes on"
    say(f"\noptim-lab: {how}")
    return ENDED + number


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
    showing.add_argument(
        "--results",
        type=Path,
        help="folder of the records (default: those of whole recipes, then the trials)",
    )
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
    add("--precision", default="float32", help="float32 (default), bfloat16, or auto: the "
        "faster on this machine")  # fmt: skip
    add("--compile", action="store_true", help="compile the network (pays on a GPU)")
    add("--threads", type=int, help="CPU threads (default: all)")
    add("--ours", action="store_true",
        help="the optimizer of this package in place of torch's, on a CPU: a trial")  # fmt: skip
    add("--epochs", type=int, help="fewer or more epochs than the recipe has")
    add("--fresh", action="store_true", help="start again, and replace what is there")
    add("--results", type=Path, help="folder of the records (default: in a checkout the "
        "package's, elsewhere ./results; .runs/results for trials)")  # fmt: skip


def _list(options: argparse.Namespace, endings: Endings) -> None:
    width = max(len(recipe.name) for recipe in recipes.RECIPES)
    for recipe in recipes.RECIPES:
        print(f"{recipe.name:{width}s} {_rates(recipe)}")
        print(f"{'':{width}s} {recipe.suite} reports: {recipe.reports}")


def _rates(recipe: recipes.Recipe) -> str:
    rates = f"lr {recipe.lr}"
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


def _show(options: argparse.Namespace, endings: Endings) -> None:
    places = [options.results]  # None: the package's, and over them those of whole runs
    if options.results is None:
        places.append(files.runs_folder() / "results")
    found = [(place, name) for place in places for name in results.suites(place)]
    if not found:
        raise ValueError("there are no records yet; `optim-lab run constant` makes the first")
    chosen = [(place, name) for place, name in found if options.suite in (None, name)]
    if not chosen:
        others = ", ".join(sorted({name for _, name in found}))
        raise ValueError(f"suite {options.suite!r} has no records; there are: {others}")
    for place, name in chosen:
        _show_suite(name, place)


def _show_suite(name: str, place: Path | None) -> None:
    records = results.records(name, place)
    width = max(len(_name(record)) for record in records)
    columns = f"{'run':{width}s} {'data':15s} {'epochs':>6s} {'train':>7s} {'test':>7s}"
    trials = " (trials)" if place == files.runs_folder() / "results" else ""
    print(f"{shown(name)}{trials}\n  {columns}")
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
    return shown(text)


def _run(options: argparse.Namespace, endings: Endings) -> None:
    chosen, seeds = _chosen(options), _seeds(options)
    folder = _folder(options)
    for suite in {recipe.suite for recipe in chosen}:
        files.check_writable((folder or files.results_folder()) / suite)
        files.check_writable(files.runs_folder() / suite)
    with endings.held():  # some of what is imported would lose an interruption
        _import_all()
        from optim_scratch.experiments import data
        from optim_scratch.experiments.places import Place
    settings = _settings(options)
    if advice := settings.advice():
        say(f"optim-lab: {advice}")
    with told(f"optim-lab: reading the images of {shown(options.data)}", PATIENCE):
        images = data.load(options.data)
    endings.check()
    runs = [(recipe, seed) for recipe in chosen for seed in seeds]
    places = [Place.of(recipe, seed, images, settings, folder) for recipe, seed in runs]
    for place in places:
        place.sweep()
        if options.fresh:  # all of them are marked, so that an interruption forgets none
            place.begin_afresh()
    options.fresh = False
    for (recipe, seed), place in zip(runs, places, strict=True):
        _run_one(recipe, seed, images, settings, place)
        endings.check()


def _folder(options: argparse.Namespace) -> Path | None:
    """Return where the records' suites go, None for the committed records."""
    synthetic = options.data.partition(":")[0] == "synthetic"
    trial = options.epochs is not None or options.ours or synthetic
    return options.results or (files.runs_folder() / "results" if trial else None)


def _import_all() -> None:
    """Import what a run needs, or say how to install all of it that is missing."""
    missing = []
    for module, package in NEEDED.items():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            missing.append(package)
    if missing:
        words = " ".join(missing)
        raise ValueError(f"running needs what is not installed: pip install {words}")


def _settings(options: argparse.Namespace) -> Any:
    import torch

    from optim_scratch.experiments.settings import Settings

    return Settings(
        device=options.device,
        precision=options.precision,
        compiled=options.compile,
        threads=torch.get_num_threads() if options.threads is None else options.threads,
    )


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
        say(reason, sys.stdout)
        return
    watcher = progress.watcher(f"{recipe.name} seed {seed}")
    record = train.train(recipe, seed, images, settings, place.checkpoint, watcher)
    results.write(record, place.folder)
    place.clear()
    say(f"{_summary(record)}  -> {place.record}", sys.stdout)
