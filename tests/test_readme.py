"""What the README says: its code prints what stands under it, its numbers are those of the book."""

import contextlib
import io
import json
import re
import tomllib
from pathlib import Path

from optim_scratch import registry
from optim_scratch.experiments import results

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_its_code_prints_what_stands_under_it() -> None:
    (pair,) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)
    code, shown = pair
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == shown


def test_it_goes_from_what_it_is_to_how_to_cite_it() -> None:
    sections = re.findall(r"^## (.*)$", README, re.MULTILINE)
    assert sections == [
        "Run it", "An example", "What is in the book", "Results so far", "Licence and citation",
    ]  # fmt: skip
    before = README[: README.index("## Run it")]
    assert before.count("![") == README.count("![") == 1


def test_its_counts_are_those_of_the_package_and_the_book() -> None:
    said = {what: int(n) for n, what in re.findall(r"(\d+) ([a-z-]+)", README)}
    museum = json.loads((ROOT / "book/practice/bug-museum.ipynb").read_text())["cells"]
    source = ["".join(cell["source"]) for cell in museum]
    (plan,) = [text for text in source if text.startswith("## Floor plan")]
    assert said["chapters"] == len(list((ROOT / "book").glob("*/*.ipynb")))
    assert said["optimizers"] == len(registry.methods("optimizer"))
    assert said["learning-rate"] == len(registry.methods("scheduler"))
    assert said["mistakes"] == len(re.findall(r"^\| \[", plan, re.MULTILINE))
    with_chapter = [method.name for method in registry.methods("optimizer") if method.chapter]
    assert re.search(rf"{len(with_chapter)} of them have their\s+chapters", README)


def test_its_results_are_those_of_the_records() -> None:
    """The mean test accuracy of the last five epochs, in per cent."""
    shown = re.findall(r"(\d\d\.\d) %", README)
    names = ["article-003/constant", "rate-and-schedule/constant-004",
             "rate-and-schedule/exponential-001", "article-003/exponential"]  # fmt: skip
    assert shown == [f"{last_five(name):.1f}" for name in names]
    for name, rate in zip(names, (0.01, 0.04, 0.01, 0.04), strict=True):
        assert records(name)[0]["recipe"]["optimizer_arguments"]["lr"] == rate


def records(name: str) -> list[dict]:
    """Return the records of seeds 0 and 1."""
    return [json.loads(results.find(f"{name}-seed{seed}.json").read_text()) for seed in (0, 1)]


def last_five(name: str) -> float:
    """Return the mean test accuracy of the last five epochs, in per cent, mean of two seeds."""
    ends = [[row["test_accuracy"] for row in record["epochs"][-5:]] for record in records(name)]
    return 100 * sum(map(sum, ends)) / 10


def test_it_is_cited_as_the_citation_file_says() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    citation = (ROOT / "CITATION.cff").read_text()
    (entry,) = re.findall(r"```bibtex\n(.*?)```", README, re.DOTALL)
    assert f"version = {{{version}}}" in entry
    assert entry in (ROOT / "book/reference/colophon.md").read_text()
    assert f"version: {version}" in citation
    for said in ("title: Optimizers from Scratch", "year: 2026"):
        assert said in citation


def test_its_files_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)]*)\)", README):
        assert (ROOT / target).exists(), target
    for target in re.findall(r"make ([a-z]+)", README):
        if target not in ("alone",):
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M), target
