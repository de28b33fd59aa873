"""Every scheduler, in the book's order."""

from typing import Any

from .method import Method

TORCH = "torch.optim.lr_scheduler."


def _scheduler(name: str, module: str, chapter: str, summary: str, **rest: Any) -> Method:
    """Return the entry of a scheduler, whose module and chapter lie in folders of their own."""
    return Method(
        name, "scheduler", f"schedulers.{module}", f"schedulers/{chapter}", summary, **rest
    )


SCHEDULERS = (
    _scheduler(
        "StepLR", "step_lr", "step-decay", "a factor every so many epochs", source="PyTorch",
        torch=TORCH + "StepLR",
    ),
    _scheduler(
        "MultiStepLR", "multi_step_lr", "step-decay", "a factor at chosen epochs",
        source="PyTorch", torch=TORCH + "MultiStepLR", parent="StepLR",
    ),
    _scheduler(
        "ExponentialLR", "exponential_lr", "step-decay", "a factor every epoch",
        source="PyTorch", torch=TORCH + "ExponentialLR", parent="StepLR",
    ),
    _scheduler(
        "PolynomialLR", "polynomial_lr", "step-decay", "a power of the time that is left",
        source="PyTorch", torch=TORCH + "PolynomialLR", parent="ExponentialLR",
    ),
    _scheduler(
        "LinearLR", "linear_lr", "step-decay", "a straight line between two multiples",
        source="PyTorch", torch=TORCH + "LinearLR",
    ),
    _scheduler(
        "ConstantLR", "constant_lr", "step-decay", "a smaller rate for the first epochs",
        source="PyTorch", torch=TORCH + "ConstantLR", parent="LinearLR",
    ),
    _scheduler(
        "MultiplicativeLR", "multiplicative_lr", "step-decay",
        "the present rate times any function of the epoch", source="PyTorch",
        torch=TORCH + "MultiplicativeLR", parent="ExponentialLR",
    ),
    _scheduler(
        "LambdaLR", "lambda_lr", "step-decay", "the base rate times any function of the epoch",
        source="PyTorch", torch=TORCH + "LambdaLR",
    ),
    _scheduler(
        "CosineAnnealingLR", "cosine_annealing_lr", "cosine-and-restarts",
        "half a cosine down, and back up after it", source="Loshchilov & Hutter 2017",
        reference="loshchilov2017", torch=TORCH + "CosineAnnealingLR", parent="PolynomialLR",
    ),
    _scheduler(
        "CosineAnnealingWarmRestarts", "cosine_annealing_warm_restarts", "restarts",
        "half a cosine down, again and again", source="Loshchilov & Hutter 2017",
        reference="loshchilov2017", torch=TORCH + "CosineAnnealingWarmRestarts",
        parent="CosineAnnealingLR",
    ),
    _scheduler(
        "REXLR", "rex_lr", "cosine-and-restarts", "a hyperbola to 0 that stays high for long",
        source="Chen, Wolfe & Kyrillidis 2022", reference="chen2022",
        parent="CosineAnnealingLR",
    ),
    _scheduler(
        "SWALR", "swa_lr", "cosine-and-restarts",
        "to a fixed rate, at which weights are averaged", source="Izmailov et al. 2018",
        reference="izmailov2018", torch="torch.optim.swa_utils.SWALR",
        parent="CosineAnnealingLR",
    ),
    _scheduler(
        "WarmupLinearSchedule", "warmup_linear_schedule", "warmup",
        "a straight line up, another down to 0", source="Devlin et al. 2019",
        reference="devlin2019", parent="LinearLR",
    ),
    _scheduler(
        "WarmupCosineSchedule", "warmup_cosine_schedule", "warmup",
        "a straight line up, half a cosine down", source="pytorch-transformers 2019",
        parent="CosineAnnealingLR",
    ),
    _scheduler(
        "WarmupCosineWithHardRestartsSchedule", "warmup_cosine_with_hard_restarts_schedule",
        "restarts", "a straight line up, then equal falls of a cosine",
        source="pytorch-transformers 2019", parent="WarmupCosineSchedule",
    ),
    _scheduler(
        "GradualWarmupScheduler", "gradual_warmup_scheduler", "warmup",
        "a straight line up before any other scheduler", source="Goyal et al. 2017",
        reference="goyal2017", parent="LinearLR",
    ),
    _scheduler(
        "NoamLR", "noam_lr", "warmup",
        "a straight line up, the inverse square root of time down",
        source="Vaswani et al. 2017", reference="vaswani2017", parent="WarmupLinearSchedule",
    ),
    _scheduler(
        "InverseSqrtSchedule", "inverse_sqrt_schedule", "warmup",
        "the same to a chosen peak, with a time scale", source="Zhai et al. 2022",
        reference="zhai2022", parent="NoamLR",
    ),
    _scheduler(
        "WarmupStableDecayLR", "warmup_stable_decay_lr", "warmup",
        "up, a plateau of any length, down", source="Hu et al. 2024", reference="hu2024",
        parent="WarmupLinearSchedule",
    ),
    _scheduler(
        "CyclicLR", "cyclic_lr", "cyclic-and-one-cycle", "up and down between two bounds",
        source="Smith 2017", reference="smith2017", torch=TORCH + "CyclicLR",
    ),
    _scheduler(
        "OneCycleLR", "one_cycle_lr", "cyclic-and-one-cycle",
        "up once, and down to almost nothing", source="Smith & Topin 2019",
        reference="smith2019", torch=TORCH + "OneCycleLR", parent="CyclicLR",
    ),
    _scheduler(
        "ReduceLROnPlateau", "reduce_lr_on_plateau", "plateau",
        "a factor when a metric has stopped getting better", source="PyTorch",
        torch=TORCH + "ReduceLROnPlateau", parent="StepLR",
    ),
    _scheduler(
        "SequentialLR", "sequential_lr", "composing-and-resuming",
        "one scheduler after another", source="PyTorch", torch=TORCH + "SequentialLR",
    ),
    _scheduler(
        "ChainedScheduler", "chained_scheduler", "composing-and-resuming",
        "several schedulers at once", source="PyTorch", torch=TORCH + "ChainedScheduler",
    ),
)  # fmt: skip
