"""What CONTRIBUTING.md asks of a new optimizer is true, and nothing else is needed."""

import io
import re
import subprocess
import tokenize
from pathlib import Path

import pytest

from optim_scratch import registry

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
RECIPE = TEXT.partition("## Adding an optimizer")[2].partition("\n## ")[0]
PLACES = re.findall(r"^\d\. `([^`]+)`", RECIPE, flags=re.MULTILINE)


def places(method: registry.Method) -> list[Path]:
    """The files that the recipe names, for a method."""
    module = method.module.rpartition(".")[2]
    return [ROOT / place.replace("<module>", module) for place in PLACES]


def test_the_recipe_is_a_list_of_files():
    assert len(PLACES) == 7
    assert all(path.exists() for path in places(registry.find("RMSprop")))


@pytest.mark.parametrize("method", registry.methods("optimizer"), ids=lambda method: method.name)
def test_every_optimizer_stands_where_the_recipe_says(method):
    for path in places(method):
        if path.name.startswith("test_") and not path.exists():
            folder = path.parent.glob("test_*.py")
            assert any(method.name in tests.read_text() for tests in folder), (
                f"{method.name} has no tests of what is its own: write "
                f"{path.relative_to(ROOT).as_posix()}"
            )
            continue
        assert re.search(rf"\b{method.name}\b", path.read_text()), (
            f"{method.name} is not in {path.relative_to(ROOT).as_posix()}: see CONTRIBUTING.md"
        )


def names_in(path: Path) -> set[str]:
    """The names in a file's code, those in its strings and comments left out."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    return {token.string for token in tokens if token.type == tokenize.NAME}


def test_rmsprop_needed_nothing_but_what_the_recipe_names():
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    pages = "tests/book/"  # what a chapter claims is tested there, whichever methods it shows
    users = {
        ROOT / name
        for name in listed
        if "RMSprop" in names_in(ROOT / name) and not name.startswith(pages)
    }
    assert users <= set(places(registry.find("RMSprop")))


def test_a_method_without_description_is_told_what_to_write(monkeypatch):
    import methods

    monkeypatch.delitem(methods.DESCRIPTIONS, "RMSprop")
    with pytest.raises(
        pytest.fail.Exception, match=r"add one to DESCRIPTIONS in tests/methods\.py"
    ):
        methods.describe("RMSprop")
