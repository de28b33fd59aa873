"""Colour printed source code: outputs that are Python or end in it, a function or a class."""

import ast
import re
import textwrap

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


def is_source(text: str) -> bool:
    """Tell whether a text is Python, and not words that happen to parse."""
    try:
        tree = ast.parse(textwrap.dedent(text))
    except (SyntaxError, ValueError):
        return False
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return any(isinstance(node, kinds) for node in tree.body)


def split(text: str) -> tuple[str, str]:
    """Return what stands before the source code in an output, and the source code."""
    if is_source(text):
        return "", text
    for start in re.finditer(r"^ *(?:def|class|@)\b", text, re.MULTILINE):
        if is_source(text[start.start() :]):
            return text[: start.start()], text[start.start() :]
    return text, ""


class ColourSources(SphinxPostTransform):
    """Give the outputs that are source code its language."""

    default_priority = 200

    def run(self, **_: object) -> None:
        for block in list(self.document.findall(nodes.literal_block)):
            before, source = split(block.astext()) if "stream" in block["classes"] else ("", "")
            if source:
                parts = [(before.rstrip("\n"), block["language"]), (source, "python")]
                blocks = [block_like(block, *part) for part in parts if part[0]]
                block.replace_self(blocks)


def block_like(block: nodes.literal_block, text: str, language: str) -> nodes.literal_block:
    """Return a block with other text, in another language."""
    new = nodes.literal_block(text, text, **block.attributes)
    new["language"] = language
    new.source, new.line = block.source, block.line
    return new


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_post_transform(ColourSources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
