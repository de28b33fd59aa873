"""Where one run keeps its checkpoint and its record, and whether it is to begin afresh."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optim_scratch.experiments import checkpoint, files, results
from optim_scratch.experiments.data import Dataset
from optim_scratch.experiments.identity import differences, identity
from optim_scratch.experiments.recipes import Recipe
from optim_scratch.experiments.settings import Settings


@dataclass(frozen=True)
class Place:
    """The files of one run.

    Parameters
    ----------
    run : dict
        The run's identity.
    folder : Path or None
        Where its record's suite lies; None for the committed records.
    """

    run: dict[str, Any]
    folder: Path | None

    @classmethod
    def of(
        cls, recipe: Recipe, seed: int, data: Dataset, settings: Settings, folder: Path | None
    ) -> "Place":
        """Return the place of a run, described as in `optim_scratch.experiments.train.train`."""
        return cls(identity(recipe, seed, data, settings), folder)

    @property
    def record(self) -> Path:
        """The record."""
        return results.path_of(self.run, self.folder)

    @property
    def checkpoint(self) -> Path:
        """The checkpoint, while the run goes on."""
        suite = files.runs_folder() / self.run["recipe"]["suite"]
        return suite / checkpoint.name_of(self.run)

    @property
    def mark(self) -> Path:
        """There from when the run is asked to begin afresh until its record is written.

        So long, a record of before is no reason not to run.
        """
        return self.checkpoint.with_suffix(".fresh")

    def sweep(self) -> None:
        """Delete what killed runs have left beside this one's files, and in the data's folder."""
        checkpoint.sweep(self.checkpoint.parent)
        for folder in (files.data_folder(), self.checkpoint.parent, self.record.parent):
            files.sweep(folder)

    def begin_afresh(self) -> None:
        """Forget the checkpoint, and run although there may be a record."""
        self.checkpoint.unlink(missing_ok=True)
        self.mark.parent.mkdir(parents=True, exist_ok=True)
        self.mark.touch()

    def clear(self) -> None:
        """Delete checkpoint and mark, as the record is there."""
        self.checkpoint.unlink(missing_ok=True)
        self.mark.unlink(missing_ok=True)

    def reason_to_keep(self) -> str:
        """Return why a record that is there is not run again, or nothing.

        A trial's record of another run is replaced.

        Raises
        ------
        ValueError
            When the record is not sound.
        """
        if self.mark.exists() or not self.record.exists():
            return ""
        different = differences(results.load(self.record), self.run)
        if not different:
            self.clear()  # what a run leaves that is killed as its record is written
            return f"{self.record.name} is complete already; --fresh runs it again"
        if files.runs_folder() in self.record.parents:
            return ""
        return (
            f"{self.record.name} is there already, of another run ({', '.join(different)}); "
            "--results DIR keeps both, --fresh replaces it"
        )
