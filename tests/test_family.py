"""The family tree: everybody mends a flaw of a parent, and no arrow runs through a circle."""

import re
from dataclasses import replace
from pathlib import Path

import family
import nbformat
import numpy as np
import pytest
from methods import describe

from optim_scratch import Parameter, ladder, optimizers, plot, registry
from optim_scratch.family import LETTER, NARROW, WIDE, Tree, flaw

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book/reference/family-tree.ipynb"
TREE = Tree()
ROOTS = {"SGD", "LBFGS"}
"""Methods that descend from no other here; a new one needs a good reason."""
every = pytest.mark.parametrize("member", TREE.members(), ids=lambda member: member.name)
widths = pytest.mark.parametrize("width", [WIDE, NARROW])


def test_the_tree_holds_every_optimizer_once():
    names = [member.name for member in TREE.members()]
    assert len(names) == len(set(names))
    everybody = (*registry.methods("optimizer"), *registry.SETTINGS)
    assert sorted(names) == sorted(each.name for each in everybody)


@every
def test_everybody_mends_a_flaw_of_a_parent(member):
    where = f"{member.name}, in optim_scratch/registry/optimizers.py"
    if member.name in ROOTS:
        assert not member.parent + member.mends + member.also
        return
    assert member.parent, f"{where}: parent must name the method whose flaw it mends"
    assert member.mends, f"{where}: mends must say that flaw, its parent being the subject"
    assert member.mends[0].islower(), f"{where}: the sentence begins with the parent's name"
    assert not member.mends.endswith("."), where
    assert len(member.mends) <= 56, f"{where}: a flaw must fit beside its name"
    known = {each.name for each in TREE.members()}
    assert {member.parent} | ({member.also} - {""}) <= known, where
    assert member.also != member.parent, where


@every
def test_nobody_is_older_than_a_parent(member):
    for name in {member.parent, member.also} - {""}:
        older = next(each for each in TREE.members() if each.name == name)
        assert older.year <= member.year, f"{name} is of {older.year}"


def test_a_parent_that_is_not_there_and_an_ancestor_of_its_own_are_refused():
    sgd, adam = registry.find("SGD"), registry.find("Adam")
    with pytest.raises(ValueError, match="Adam has the parent 'RMSprop', who is not in the tree"):
        Tree([sgd, adam])
    with pytest.raises(ValueError, match="SGD must not be an ancestor of its own"):
        Tree([replace(sgd, parent="Adam"), replace(adam, parent="SGD")])


@pytest.mark.parametrize("setting", registry.SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_is_had_by_its_call(setting):
    kind = getattr(optimizers, setting.kind)
    names = re.findall(r"(\w+)=([\w.]+)", setting.call)
    options = {name: value == "True" if value == "True" else float(value) for name, value in names}
    assert tuple(options) == setting.hyper
    p = Parameter(np.ones(3))
    optimizer = kind([p], **options)
    p.grad = np.ones(3)
    optimizer.step()
    kept = sum(np.size(entry) == 3 for entry in optimizer.state[p].values())
    assert str(kept) == setting.memory
    assert f"{{{setting.reference}," in (ROOT / "book/reference/references.bib").read_text()
    assert (ROOT / f"book/{setting.chapter}.ipynb").exists()
    assert setting.family in registry.FAMILIES
    assert str(setting.year) in setting.source
    assert setting.name not in {method.name for method in registry.METHODS}
    assert describe(setting.kind)


# The drawing


def sampled(way, n=60):
    """Points on a path of SVG's M, V, Q and H."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", way)]
    assert re.sub(r"[-\d. ]+", "", way) == "MVQH"
    x, top, before, corner_x, corner_y, after, level, end = numbers
    t = np.linspace(0, 1, n)[:, None]
    knots = np.array([[x, before], [corner_x, corner_y], [after, level]])
    bend = (1 - t) ** 2 * knots[0] + 2 * t * (1 - t) * knots[1] + t**2 * knots[2]
    down = np.stack([np.full(9 * n, x), np.linspace(top, before, 9 * n)], axis=1)
    right = np.stack([np.linspace(after, end, n), np.full(n, level)], axis=1)
    return np.concatenate([down, bend, right])


def run_through(layout):
    """Who is run through, or touched, by an arrow that is not theirs."""
    centres = np.array([[spot.x, spot.y] for spot in layout.spots])
    names = np.array([spot.member.name for spot in layout.spots])
    found = set()
    for parent, child, top in layout.links():
        points = sampled(layout.way(parent, child, top))
        gaps = np.linalg.norm(points[:, None] - centres, axis=2).min(0)
        others = ~np.isin(names, [parent.member.name, child.member.name])
        found |= set(names[(gaps < layout.radius + 3) & others])
    return found


@widths
def test_arrows_go_from_circle_to_circle(width):
    layout = TREE.layout(width)
    reached = {spot.member.name: spot.y + layout.radius for spot in layout.spots}
    for parent, child, top in layout.links():
        points = sampled(layout.way(parent, child, top))
        assert points[0] == pytest.approx([parent.x, reached[parent.member.name]])
        assert points[-1] == pytest.approx([child.x - layout.radius - 2, child.y])
        reached[parent.member.name] = child.y - layout.bend


@widths
def test_no_arrow_runs_through_a_circle(width):
    assert run_through(TREE.layout(width)) == set()


def test_an_arrow_through_a_circle_would_be_found():
    layout = TREE.layout()
    spots = [
        replace(spot, x=spot.x - layout.indent) if spot.member.name == "RAdam" else spot
        for spot in layout.spots
    ]
    assert "RAdam" in run_through(replace(layout, spots=tuple(spots)))


@widths
def test_nothing_lies_on_a_word(width):
    layout = TREE.layout(width)
    for parent, child, _ in layout.links():
        reach = [spot for spot in layout.spots if parent.y < spot.y <= child.y]
        assert all(parent.x < spot.x for spot in reach), "an arrow to the right of a name"
    for above, below in zip(layout.spots, layout.spots[1:], strict=False):
        gap = below.y - above.y - above.height
        assert gap == pytest.approx(27 if below.heading else 0)
    assert layout.spots[-1].y + layout.spots[-1].height <= layout.height + 15


@widths
def test_words_fit_beside_the_years(width):
    layout = TREE.layout(width)
    for spot in layout.spots:
        longest = max(map(len, spot.lines))
        assert spot.aside + longest * LETTER <= width - (42 if width == WIDE else 0)
        name = spot.x + 2.6 * layout.radius + len(spot.member.name) * 0.66 * 14
        assert name <= (spot.aside if width == WIDE else width - 40), spot.member.name
        assert "\N{NO-BREAK SPACE}".join(spot.lines).count("(+") == bool(spot.member.also)


def test_a_row_is_of_the_family_of_the_last_name_above_it():
    named = ""
    for spot in TREE.layout().spots:
        assert spot.heading != named, "said twice"
        named = spot.heading or named
        assert named == registry.FAMILIES[spot.member.family]


def test_everybody_is_a_link_in_the_drawing():
    for kind, width in (("wide", WIDE), ("narrow", NARROW)):
        addresses = {member.name: f"{member.name}.html" for member in TREE.members()}
        drawn = family.drawing(TREE.layout(width), addresses, kind)
        assert re.findall(r'<a href="(\w+)\.html"', drawn) == [m.name for m in TREE.members()]
        for member in TREE.members():
            read = rf'{member.name}</tspan> <tspan class="year" [^>]*>{member.year}</tspan></text>'
            assert re.search(read, drawn), "words that are read out run into each other"
        assert drawn.count('class="link"') == len(TREE.members()) - len(ROOTS)


def test_the_picture_shows_everybody():
    figure = plot.family_tree(TREE)
    words = [text.get_text() for text in figure.axes[0].texts]
    assert {member.name for member in TREE.members()} <= set(words)
    colours = {member.name: plot.member_colour(member) for member in TREE.members()}
    assert colours["momentum"] == plot.COLOURS["momentum"]
    assert colours["Lion"] == plot.COLOURS["Lion"]


# The page


def test_the_page_is_of_this_tree():
    outputs = [
        output.get("data", {}).get("text/plain")
        for cell in nbformat.read(PAGE, as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert repr(TREE) in outputs, "the registry has changed: make notebook NB=" + str(
        PAGE.relative_to(ROOT)
    )
    assert repr(TREE.table()) in outputs


def test_the_table_has_a_row_for_each_and_links_to_pages_that_exist():
    rows = TREE.table().rows()
    assert len(rows) == len(TREE.members())
    for row, member in zip(rows, TREE.members(), strict=True):
        link = re.fullmatch(r"\[(\w+)\]\(\.\./(.*)\)", row["method"])
        assert (link[1] if link else row["method"]) == member.name
        assert not link or (ROOT / "book" / link[2]).exists()
        assert not link or link[2] == f"{member.chapter}.ipynb"
        assert row["hyper-parameters"]
    by_name = {m.name: row for m, row in zip(TREE.members(), rows, strict=True)}
    assert by_name["Adam"]["hyper-parameters"] == "lr, betas, eps, weight_decay"
    assert by_name["SAM"]["work"].startswith("2; ")
    assert by_name["AMSGrad"]["work"] == "as Adam"
    assert by_name["LAMB"]["hyper-parameters"] == "lr, betas, eps, weight_decay, clamp, scaled"


def test_work_is_that_of_one_step():
    """The ladder times a run, and one on all pictures has 20 steps where others have 640."""
    work = {m.name: row["work"] for m, row in zip(TREE.members(), TREE.table().rows(), strict=True)}
    for name in ("LBFGS", "Rprop"):
        times = float(re.search(r"; (\d+)×, on all pictures", work[name])[1])
        assert times == pytest.approx(ladder.row(name).time * 640 / 20, abs=0.5)
    assert work["Adam"] == f"1; {ladder.row('Adam').time:.1f}×"
    named = {"LBFGS", "Shampoo", "Rprop", "SOAP"}
    times = {
        name: float(said[1]) for name, w in work.items() if (said := re.search(r"([\d.]+)×", w))
    }
    assert set(sorted(times, key=times.get)[-4:]) == named


def test_what_the_page_says_of_its_paths():
    """What never forgets leads to what forgets; three generations from Adagrad to AdamW."""
    line = [member.name for member in TREE.line("AMSGrad")]
    assert line == ["SGD", "Adagrad", "RMSprop", "Adam", "AMSGrad"]
    assert "never forgets" in flaw(registry.find("RMSprop"))
    assert "forgets" in flaw(TREE.line("AMSGrad")[-1])
    names = [member.name for member in TREE.line("AdamW")]
    assert names.index("AdamW") - names.index("Adagrad") == 3
    assert registry.find("Adam").also == "momentum"
    assert registry.find("NAdam").also == "Nesterov"
    assert registry.find("RMSprop").also == "Rprop"
    with_own_rates = [m for m in TREE.members() if m.family in {"adaptive", "sign"}]
    assert min(with_own_rates, key=lambda m: m.year).name == "Rprop"
