"""Assert that the built site holds every page of the table of contents, with something on it.

``python tests/site/check_pages.py _build/html`` needs nothing but what builds the site.
"""

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
LEAST = 3000  # bytes; the theme's frame alone has more, a broken build leaves less


def pages(toc: Path = ROOT / "_toc.yml") -> list[str]:
    """Return every page that the table of contents names, in order."""
    tree = yaml.safe_load(toc.read_text())
    return [tree["root"], *(file for part in tree["parts"] for file in below(part["chapters"]))]


def below(entries: list[dict]) -> list[str]:
    """Return the pages of some entries, each before those of its sections."""
    return [
        page for entry in entries for page in (entry["file"], *below(entry.get("sections", [])))
    ]


def problems(site: Path) -> list[str]:
    """Return the pages that are missing or empty."""
    paths = [site / f"{page}.html" for page in pages()] + [site / "index.html"]
    there = {path: path.is_file() for path in paths}
    missing = [f"{path} is missing" for path in paths if not there[path]]
    empty = [
        f"{path} is empty"
        for path in paths[:-1]
        if there[path] and ("<h1" not in path.read_text() or path.stat().st_size < LEAST)
    ]
    return missing + empty


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]))
    if found:
        sys.exit("\n".join(found))
    print(f"{len(pages())} pages")
