"""The card of an optimizer: what it says is what registry, class and ladder say."""

import re
from pathlib import Path

import nbformat
import pytest

from optim_scratch import ladder, registry
from optim_scratch.card import Card

BOOK = Path(__file__).parents[1] / "book"
OPTIMIZERS = registry.methods("optimizer")
every = pytest.mark.parametrize("method", OPTIMIZERS, ids=lambda method: method.name)


@every
def test_every_optimizer_has_a_card(method):
    rows = Card(method.name).rows()
    assert rows["memory"].startswith(method.memory)
    assert rows["source"] == method.source
    assert rows["in PyTorch"] == (f"`{method.torch}`" if method.torch else "not in `torch.optim`")
    assert ("update" in rows, "when" in rows) == (bool(method.update), bool(method.when))


def test_the_defaults_are_those_of_the_signature():
    defaults = Card("Adam").rows()["defaults"]
    assert defaults == "`lr=0.001`, `betas=(0.9, 0.999)`, `eps=1e-08`, `weight_decay=0.0`"
    assert "amsgrad" not in defaults, "a flag that is off says nothing"


def test_the_work_is_what_the_ladder_measured():
    assert Card("SGD").rows()["work"] == "1 gradient a step"
    time = ladder.row("SAM").time
    assert (
        Card("SAM").rows()["work"]
        == f"2 gradients a step; on the digits {time:.1f} times SGD's time"
    )


@every
def test_gradients_a_step_are_the_ladders_passes(method):
    said = re.match(r"(\d) gradients? (or more )?a step", Card(method.name).rows()["work"])
    passes = [row.passes for row in ladder.rows() if row.name == method.name]
    for each in passes:
        assert each == int(said[1]) or (said[2] and each > int(said[1]))


@every
def test_a_card_is_a_table_of_two_columns(method):
    lines = Card(method.name)._repr_markdown_().splitlines()
    assert lines[1] == "|:--|:--|"
    assert all(line.count("|") == 3 for line in lines)
    assert str(Card(method.name)).startswith(f"{method.name}: {method.summary}\n")


@pytest.mark.parametrize("name", ["adam", "StepLR"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="name must be of"):
        Card(name)


def on_pages():
    """Return the optimizers that have a page of their own form, and the page."""
    return [(m, BOOK / f"{m.chapter}.ipynb") for m in OPTIMIZERS if m.chapter.startswith("opt")]


@pytest.mark.parametrize(
    ("method", "page"), on_pages(), ids=lambda value: getattr(value, "name", "")
)
def test_the_page_of_an_optimizer_shows_its_card(method, page):
    assert method.update, f"{method.name}: the registry's entry needs its update, for its card"
    assert method.when, f"{method.name}: the registry's entry says not when to use it"
    shown = re.findall(
        r'^Card\("(\w+)"\)',
        "\n".join(
            c.source for c in nbformat.read(page, as_version=4).cells if c.cell_type == "code"
        ),
        re.MULTILINE,
    )
    assert method.name in shown, f'{page.name} has no cell that ends with Card("{method.name}")'
