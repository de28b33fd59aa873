"""Which printed outputs are source code, and so are coloured."""

import pytest

sources = pytest.importorskip("sources")

METHOD = "    def step(self):\n        return 1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (METHOD, ("", METHOD)),
        ("def f():\n    return 1\n\nclass A:\n    x = 1\n", None),
        ("rates:\n[0. 1.]\n" + METHOD, ("rates:\n[0. 1.]\n", METHOD)),
        ("0.5\n", ("0.5\n", "")),
        ("x\n", ("x\n", "")),
        ("def is a word, and not of Python\n", ("def is a word, and not of Python\n", "")),
        ("loss 0.5 at step 3\n", ("loss 0.5 at step 3\n", "")),
    ],
)
def test_source_is_told_from_words(text, expected) -> None:
    assert sources.split(text) == (expected or ("", text))
