"""Formulas are set when the site is built, all of them, or the build says which is not."""

import re

import pytest

formulas = pytest.importorskip("formulas")


def visible(html: str) -> str:
    """Return the text that a reader sees: KaTeX's zero-width spaces and the MathML are not."""
    return re.sub(r"<span class=\"katex-mathml\">.*?</math></span>|<[^>]+>|\u200b", "", html)


def test_a_formula_becomes_html_and_mathml_without_its_source() -> None:
    html = formulas.typeset(r"\eta \le 2", False)
    assert "<math" in html
    assert visible(html) == "η≤2"
    assert "annotation" not in html
    assert r"\eta" not in html


def test_a_macro_that_is_unknown_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="nosuchthing"):
        formulas.typeset(r"\nosuchthing", False)


def test_an_underscore_in_words_is_one() -> None:
    assert "zero_grad" in visible(formulas.typeset(r"\texttt{zero_grad}", False))
    assert "zero_grad" in visible(formulas.typeset(r"\texttt{zero\_grad}", False))


@pytest.mark.parametrize(
    ("tex", "nowrap", "expected"),
    [
        ("a = b", False, "a = b"),
        ("a &= b \\\\ &= c", False, "\\begin{split}a &= b \\\\ &= c\\end{split}"),
        ("a\n\nb", False, "\\begin{gathered}a\\\\b\\end{gathered}"),
        (r"\begin{align}a\end{align}", True, r"\begin{align*}a\end{align*}"),
        (r"\begin{aligned}a\end{aligned}", True, r"\begin{aligned}a\end{aligned}"),
    ],
)
def test_lines_of_a_display(tex, nowrap, expected) -> None:
    assert formulas.displayed(tex, nowrap) == expected
    assert "katex-display" in formulas.typeset(expected, True)


@pytest.mark.parametrize("tex", ["x", "x = y + z"])
def test_brackets_and_commas_keep_to_their_formula(tex) -> None:
    html = formulas.tied(formulas.typeset(tex, False), "(", "),")
    assert visible(html) == f"({tex.replace(' ', '')}),"
    assert html.count("<span") == html.count("</span>")
    first, last = html.index('class="tied"'), html.rindex('class="tied"')
    assert first < html.index("(")
    assert last < html.rindex("),")
