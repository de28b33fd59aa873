"""Queries as students and engineers type them, each with the page that must come first."""

import pytest
from check_pages import pages

finding = pytest.importorskip("finding")

CYCLE = "book/schedulers/cyclic-and-one-cycle"
RANGE_TEST = "book/schedulers/range-test"
STEP = "book/schedulers/step-decay"
COSINE = "book/schedulers/cosine-and-restarts"
RESTARTS = "book/schedulers/restarts"
WARMUP = "book/schedulers/warmup"
WHY_WARM_UP = "book/schedulers/why-warm-up"
PLATEAU = "book/schedulers/plateau"
COMPOSING = "book/schedulers/composing-and-resuming"
CLIPPING = "book/schedulers/accumulation-and-clipping"
GROUPS = "book/schedulers/parameter-groups"
LOOP = "book/foundations/the-training-loop"
SURFACES = "book/foundations/loss-surfaces"
DESCENT = "book/optimizers/gradient-descent"
MOMENTUM = "book/optimizers/momentum"
ADAM = "book/optimizers/adam"

QUERIES = {
    "learning rate finder": RANGE_TEST,
    "lr finder": RANGE_TEST,
    "OneCycleLR": CYCLE,
    "cyclical learning rates": CYCLE,
    "super-convergence": CYCLE,
    "StepLR": STEP,
    "MultiStepLR": STEP,
    "exponential decay": STEP,
    "why does my loss jump": "book/schedulers/why-the-loss-jumps",
    "learning rate decay": STEP,
    "CosineAnnealingLR": COSINE,
    "cosine schedule": COSINE,
    "warm restarts": RESTARTS,
    "SGDR": RESTARTS,
    "why warm up": WHY_WARM_UP,
    "warmup": WARMUP,
    "linear warmup": WARMUP,
    "noam": WARMUP,
    "ReduceLROnPlateau": PLATEAU,
    "reduce lr on plateau": PLATEAU,
    "patience": PLATEAU,
    "validation loss stopped improving": PLATEAU,
    "SequentialLR": COMPOSING,
    "last_epoch": COMPOSING,
    "resume training": COMPOSING,
    "combine schedulers": COMPOSING,
    "gradient accumulation": CLIPPING,
    "clip_grad_norm_": CLIPPING,
    "exploding gradients": CLIPPING,
    "param_groups": GROUPS,
    "freeze layers": GROUPS,
    "different learning rates": GROUPS,
    "zero grad": LOOP,
    "zero_grad": LOOP,
    "loss does not decrease": LOOP,
    "saddle point": SURFACES,
    "condition number": SURFACES,
    "loss is nan": DESCENT,
    "learning rate too high": DESCENT,
    "edge of stability": "book/optimizers/edge-of-stability",
    "batch size": "book/optimizers/mini-batches",
    "SGD": DESCENT,
    "nesterov": "book/optimizers/nesterov",
    "dampening": "book/optimizers/momentum-conventions",
    "heavy ball": MOMENTUM,
    "adam": ADAM,
    "bias correction": ADAM,
    "adam epsilon": ADAM,
    "list of schedulers": "book/schedulers/atlas",
    "cifar10": "book/experiments/vgg-on-cifar10",
    "how to cite": "book/reference/colophon",
}


@pytest.fixture(scope="module")
def search(browser, address):
    """The search page, with its index loaded, as a function from a query to the pages found."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    page.goto("/search.html?q=momentum")
    page.locator("ul.search li").first.wait_for()
    rank = "query => Search._performSearch(...Search._parseQuery(query)).reverse().map((r) => r[0])"
    yield lambda query: page.evaluate(rank, query)
    context.close()


@pytest.mark.parametrize(("query", "expected"), QUERIES.items())
def test_the_page_that_answers_comes_first(search, query, expected) -> None:
    found = search(query)
    assert found[:1] == [expected], found[:5]


def test_there_are_forty() -> None:
    assert len(QUERIES) >= 40


@pytest.mark.parametrize("query", ["momentum", "learning rate", "adam", "StepLR", "warmup"])
def test_chapters_come_before_the_museum_and_the_api(search, query) -> None:
    found = search(query)
    later = ("book/practice/", "book/reference/api")
    chapter = next(i for i, page in enumerate(found) if not page.startswith("book/reference"))
    assert not found[chapter].startswith(later)
    assert all(not page.startswith(later) for page in found[:chapter])


def test_extracts_show_formulas_as_they_are_read(browser, address) -> None:
    page = browser.new_page(base_url=address)
    for query in ("sharpness", "boxed", "variance"):
        page.goto(f"/search.html?q={query}")
        page.wait_for_load_state("networkidle")
        for extract in page.locator("p.context").all_inner_texts():
            assert "\\" not in extract
            assert "$" not in extract
    page.close()


def test_every_chapter_has_words_by_which_it_is_found() -> None:
    chapters = {page for page in pages()[1:] if not page.startswith("book/reference/")}
    assert chapters <= set(finding.table()), "book/_ext/finding.yml lacks a chapter"


def test_every_phrase_of_the_table_belongs_to_one_page() -> None:
    phrases = [phrase for page in finding.table().values() for phrase in page]
    assert sorted(set(phrases)) == sorted(phrases)
