"""The README's code runs, and its table of results is that of the records."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_code_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict = {}
    exec(code, names)
    assert names["path"].points.shape == (301, 2)


def test_results_are_those_of_the_records() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d.]+) \|[^|]*\|(.*)\|$", README, re.MULTILINE)
    records = (ROOT / "optim_scratch/results/article-003").glob("*-seed0.json")
    assert {recipe for recipe, *_ in rows} == {path.name[: -len("-seed0.json")] for path in records}
    for recipe, rate, cells in rows:
        path = ROOT / "optim_scratch/results/article-003" / f"{recipe}-seed0.json"
        record = json.loads(path.read_text())
        epochs = record["epochs"]
        assert float(rate) == record["recipe"]["optimizer_arguments"]["lr"]
        tests = [row["test_accuracy"] for row in epochs]
        shown = [f"{100 * x:.1f} %" for x in (tests[-1], sum(tests[-5:]) / 5)]
        assert [cell.strip() for cell in cells.split("|")] == shown


def test_the_square_is_that_of_the_records() -> None:
    rows = re.findall(
        r"^\| (?:constant|times 0\.885[^|]*) \| ([\d.]+) % \| ([\d.]+) % \|$", README, re.M
    )
    shown = [[float(cell) for cell in row] for row in rows]
    names = [["article-003/constant", "rate-and-schedule/constant-004"],
             ["rate-and-schedule/exponential-001", "article-003/exponential"]]  # fmt: skip
    ends = [[last_five(name) for name in row] for row in names]
    assert shown == [[round(end, 1) for end in row] for row in ends]
    constant, decay = ends
    assert [round(b - a) for a, b in zip(constant, decay, strict=True)] == [-6, 6]


def last_five(name: str) -> float:
    """Return the mean test accuracy of a run's last five epochs, in per cent."""
    record = json.loads((ROOT / "optim_scratch/results" / f"{name}-seed0.json").read_text())
    return 20 * sum(row["test_accuracy"] for row in record["epochs"][-5:])
