"""The runs of the source articles and of this book, as a table.

A recipe says *what* is trained; on which device, in which precision and with which seed are
settings of a run (`optim_scratch.experiments.settings.Settings`) and are recorded with it.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from optim_scratch.checks import FLAG, Choice, Integer


@dataclass(frozen=True)
class Recipe:
    """One experiment, ready to be run with any seed.

    Parameters
    ----------
    name : str
        What the command line calls it.
    suite : str
        The family of runs it belongs to; records of one suite share a folder.
    reports : str
        What the source article reports of this run.
    model : str
        A key of `optim_scratch.experiments.models.MODELS`.
    optimizer : str
        A class of `torch.optim`, or of ours.
    optimizer_arguments : mapping
        Its arguments. One that is itself an optimizer, as a wrapper has, is a mapping with the key
        ``"optimizer"``, its class, and its arguments.
    library : str
        Whose optimizer: ``"torch"``, where torch has it, or ``"optim_scratch"`` for ours.
    flattened : bool
        Show an optimizer of ours each kernel, of shape (out, in, k, k), as a matrix of shape
        (out, in·k·k).
    scheduler : str or None
        A class of `optim_scratch.schedulers`, stepped once an epoch; None keeps the rate.
    scheduler_arguments : mapping
        Its arguments. One that is itself a scheduler is a mapping with the key ``"scheduler"``,
        its class, and its arguments.
    scheduler_steps : str
        When in an epoch: at its ``"end"``, as torch asks, or at its ``"start"``, so that the
        rate of the first epoch is the schedule's second.
    epochs : int
        Passes over the training images, at least 1.
    batch_size : int
        Images per update, at least 1; the last incomplete batch of an epoch is dropped.
    validation_images : int
        Training images held out for choices (best epoch, tuned rate). Runs that reproduce an
        article choose nothing and hold out 0.

    Raises
    ------
    TypeError, ValueError
        For epochs or batch_size below 1, a negative validation_images, another word for
        scheduler_steps or library, or a flattened that is no bool or asked of torch's optimizer.
    """

    name: str
    suite: str
    reports: str
    optimizer_arguments: Mapping[str, object]
    model: str = "vgg"
    optimizer: str = "SGD"
    scheduler: str | None = None
    scheduler_arguments: Mapping[str, object] = field(default_factory=dict)
    scheduler_steps: str = "end"
    library: str = "torch"
    flattened: bool = False
    epochs: int = 30
    batch_size: int = 128
    validation_images: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("validation_images", 0)):
            # as Python's own, which JSON can hold
            whole = Integer(least).check(name, getattr(self, name))
            object.__setattr__(self, name, whole)
        Choice(("start", "end")).check("scheduler_steps", self.scheduler_steps)
        Choice(("torch", "optim_scratch")).check("library", self.library)
        if FLAG.check("flattened", self.flattened) and self.library == "torch":
            raise ValueError("flattened must be False with an optimizer of torch's, got True")

    @property
    def lr(self) -> object:
        """The rate that it begins with; that of a wrapper is that of what it wraps."""
        arguments = self.optimizer_arguments
        while isinstance(within := arguments.get("optimizer"), Mapping):
            arguments = within
        return arguments["lr"]


def _article_003(
    name: str, lr: float, reports: str, scheduler: str | None = None, **arguments: object
) -> Recipe:
    return Recipe(
        name=name,
        suite="article-003",
        reports=reports,
        optimizer_arguments={"lr": lr, "momentum": 0.9, "weight_decay": 5e-4},
        scheduler=scheduler,
        scheduler_arguments=arguments,
    )


def _warmup(name: str, scheduler: str, **arguments: object) -> Recipe:
    """Return one of article 003's runs with warmup; it steps its schedule before each epoch."""
    recipe = _article_003(
        name, 0.001, "the article's figure is lost", "GradualWarmupScheduler",
        multiplier=40, total_epoch=5, after_scheduler={"scheduler": scheduler, **arguments},
    )  # fmt: skip
    return replace(recipe, scheduler_steps="start")


def _square(name: str, lr: float, scheduler: str | None = None, **arguments: object) -> Recipe:
    """Return one of the two runs that the article lacks to tell the schedule from the rate."""
    recipe = _article_003(name, lr, "not in the article", scheduler, **arguments)
    return replace(recipe, suite="rate-and-schedule")


_RATES: dict[str, tuple[Mapping[str, object], tuple[float, float, float]]] = {
    "SGD": ({"momentum": 0.9}, (0.01, 0.03, 0.1)),
    "Adagrad": ({}, (0.003, 0.01, 0.03)),
    "RMSprop": ({}, (0.0001, 0.0003, 0.001)),
    "Adam": ({}, (0.0003, 0.001, 0.003)),
    "AdamW": ({"weight_decay": 0.01}, (0.0003, 0.001, 0.003)),
    "NAdam": ({}, (0.0003, 0.001, 0.003)),
    "RAdam": ({}, (0.0003, 0.001, 0.003)),
    "Lion": ({"weight_decay": 0.1}, (0.00003, 0.0001, 0.0003)),
    "Lookahead": ({"optimizer": {"optimizer": "SGD", "momentum": 0.9}}, (0.03, 0.1, 0.3)),
    "AdamWScheduleFree": ({"weight_decay": 0.01}, (0.001, 0.003, 0.01)),
    "Prodigy": ({}, (0.3, 1.0, 3.0)),
    "LAMB": ({"weight_decay": 0.01}, (0.001, 0.003, 0.01)),
    # a kernel has 1,152 columns at most; 2,048, of a linear layer, is left without a basis
    "SOAP": ({"weight_decay": 0.01, "max_precond_dim": 1200}, (0.001, 0.003, 0.01)),
    "Muon": (
        {"weight_decay": 0.01, "adjust_lr_fn": "match_rms_adamw"}, (0.0003, 0.001, 0.003)
    ),
}  # fmt: skip
"""Further arguments of an optimizer, and three rates a factor of three apart."""

_OF_MATRICES = ("SOAP", "Muon")
"""Those that are shown kernels as matrices. The network has no biases, so all of it is some."""


def _compared(optimizer: str, lr: float, arguments: Mapping[str, object]) -> Recipe:
    """Return a run that compares optimizers: ours, a cosine over ten epochs, a choice held out.

    The rate of a wrapper is that of what it wraps. What needs no schedule has none.
    """
    wrapped = arguments.get("optimizer")
    rated = {"optimizer": {**wrapped, "lr": lr}} if isinstance(wrapped, Mapping) else {"lr": lr}
    recipe = Recipe(
        name=f"{optimizer.lower()}-{lr:g}",
        suite="optimizers",
        reports="not in the article",
        optimizer=optimizer,
        optimizer_arguments={**arguments, **rated},
        library="optim_scratch",
        flattened=optimizer in _OF_MATRICES,
        scheduler="CosineAnnealingLR",
        scheduler_arguments={"T_max": 10},
        epochs=10,
        validation_images=5000,
    )
    if optimizer.endswith("ScheduleFree"):
        recipe = replace(recipe, scheduler=None, scheduler_arguments={})
    return recipe


def _unturned(lr: float) -> Recipe:
    """Return Muon without its idea, to see what that is worth: directions stay as they are.

    The iteration multiplies by √128 in five steps and does nothing else. So the matrix over its
    norm gets the norm of an orthogonal one of 128 rows, as half of the network's have. In those
    with fewer rows the step is longer than Muon's.
    """
    muon = _compared("Muon", lr, _RATES["Muon"][0])
    arguments = {**muon.optimizer_arguments, "ns_coefficients": (128**0.1, 0.0, 0.0)}
    name = f"muon-unturned-{lr:g}"
    return replace(muon, name=name, suite="directions", optimizer_arguments=arguments)


RECIPES = (
    _article_003("constant", 0.01, "train 86.1 %, test 83.3 %; slows after 15 epochs"),
    _article_003(
        "step", 0.01, "test jumps from 77 to 81 % at epoch 16, then creeps up",
        "StepLR", step_size=16, gamma=0.2,
    ),
    _article_003(
        "multistep", 0.02, "jumps of about 2 % at epochs 10 and 20",
        "MultiStepLR", milestones=(10, 20), gamma=0.5,
    ),
    _article_003(
        "exponential", 0.04, "the steadiest growth, to about 85 % on the test images",
        "ExponentialLR", gamma=0.885,
    ),
    _warmup("warmup-step", "StepLR", step_size=10, gamma=0.2),
    _warmup("warmup-multistep", "MultiStepLR", milestones=(5, 10, 15, 20, 25), gamma=0.5),
    _warmup("warmup-exponential", "ExponentialLR", gamma=0.885),
    _square("constant-004", 0.04),
    _square("exponential-001", 0.01, "ExponentialLR", gamma=0.885),
    *(
        _compared(optimizer, lr, arguments)
        for optimizer, (arguments, rates) in _RATES.items()
        for lr in rates
    ),
    *(_unturned(lr) for lr in _RATES["Muon"][1]),
)  # fmt: skip


def find(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises
    ------
    ValueError
        For an unknown name; the message gives the nearest ones.
    """
    by_name = {recipe.name: recipe for recipe in RECIPES}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=3, cutoff=0.4) or list(by_name)
    raise ValueError(f"no recipe is called {name!r}; the nearest are: {', '.join(near)}")
