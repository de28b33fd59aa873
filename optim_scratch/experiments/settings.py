"""How a recipe is run: device, precision, threads; none of it changes what is trained."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from optim_scratch.checks import Choice, Integer
from optim_scratch.experiments.machine import has_bfloat16

PRECISIONS = ("float32", "bfloat16", "auto")
MOST_THREADS = 256
"""A run may be repeated with the threads of a larger machine; far above that, OpenMP crashes."""


@dataclass(frozen=True)
class Settings:
    """How a recipe is run; none of it changes what is trained.

    Parameters
    ----------
    device : str
        ``"cpu"``, ``"cuda"`` or another device of torch's.
    precision : str
        ``"float32"``, or ``"bfloat16"`` for autocast: weights and updates stay float32.
        ``"auto"`` becomes the faster of them: bfloat16 where the device computes in it by itself,
        as CPUs with AVX512-BF16 or AMX-BF16 and recent GPUs do.
    compiled : bool
        Whether the network goes through `torch.compile`. It pays on a GPU; measure on a CPU.
    threads : int
        CPU threads, at least 1 and at most 256, or as many as there are CPUs.

    Raises
    ------
    TypeError, ValueError
        For a device that is not there or cannot compute, another precision, fewer or more
        threads, or compiling for a CPU without a compiler.
    """

    device: str = "cpu"
    precision: str = "float32"
    compiled: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        Choice(PRECISIONS).check("precision", self.precision)
        # as Python's own, which JSON can hold
        object.__setattr__(self, "threads", Integer(1).check("threads", self.threads))
        most = max(os.cpu_count() or 1, MOST_THREADS)
        if self.threads > most:
            raise ValueError(f"threads must be <= {most}, got {self.threads}")
        compilers = ("c++", "g++", "clang++")
        if self.compiled and self.device == "cpu" and not any(map(shutil.which, compilers)):
            raise ValueError(f"compiled needs a C++ compiler on a CPU: {' or '.join(compilers)}")
        try:
            torch.ones(1, device=self.device).item()  # which "meta" cannot
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise ValueError(f"device {self.device!r} cannot be used on this machine") from error
        if self.precision == "auto":
            fastest = "bfloat16" if has_bfloat16(self.device) else "float32"
            object.__setattr__(self, "precision", fastest)

    def advice(self) -> str:
        """Return what would be much faster on this machine, or nothing."""
        if self.precision != "bfloat16" or has_bfloat16(self.device):
            return ""
        return (
            f"device {self.device!r} has no bfloat16 of its own and emulates it, many times "
            "slower: --precision float32 is the faster choice here, and auto takes it"
        )


@contextmanager
def limited_threads(count: int) -> Iterator[None]:
    """Let torch use `count` CPU threads, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
