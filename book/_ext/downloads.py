"""The notebooks that the site offers for download, readable where MyST is not known.

The committed notebooks hold MyST's roles, which JupyterLab with jupyterlab-myst and the site read.
Elsewhere they would stand raw: here citations, figure numbers, terms and names become words and
links, captions a cell. Code and outputs stay as they are.
"""

import re
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from pybtex.database import BibliographyData, Entry, Person, parse_file
from sphinx.application import Sphinx

ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)([^)\s]+)\)")
ADMONITION = re.compile(r"^:::\{admonition\} (.*)\n((?:.*\n)*?):::$", re.MULTILINE)


class Words:
    """What the roles of one page come to in words.

    Parameters
    ----------
    app : Sphinx
        After a build: it knows the figures' numbers.
    page : str
        The page's name.
    books : BibliographyData
        The bibliography.
    """

    def __init__(self, app: Sphinx, page: str, books: BibliographyData) -> None:
        self.app, self.page, self.books = app, page, books

    def of(self, text: str) -> str:
        """Return Markdown without MyST."""
        text = ADMONITION.sub(quoted, text)
        text = ROLE.sub(lambda match: self.role(*match.groups()), text)
        return LINK.sub(lambda match: self.link(*match.groups()), text)

    def role(self, name: str, text: str) -> str:
        """Return the words of one role; KeyError if there are none for it."""
        if name.startswith("cite:"):
            parts = [cited(self.books.entries[key], name) for key in text.split(",")]
            return f"({'; '.join(parts)})" if name == "cite:p" else ", ".join(parts)
        if name.startswith("py:"):
            return f"`{text.rpartition('.')[2] if text.startswith('~') else text}`"
        return {"numref": self.figure, "term": term}[name](text)

    def figure(self, name: str) -> str:
        """Return a figure's number, as the site shows it."""
        page, label, _ = self.app.env.get_domain("std").labels[name]
        number = self.app.env.toc_fignumbers[page]["figure"][label]
        words: str = self.app.config.numfig_format["figure"] % ".".join(map(str, number))
        return words

    def link(self, words: str, target: str) -> str:
        """Return a link to another page: to the site if it has an address, else the words alone."""
        base = self.app.config.html_baseurl
        if not base:
            return words
        here = urljoin(base, f"{self.page}.html")
        return f"[{words}]({urljoin(here, re.sub(r'[.](ipynb|md)', '.html', target))})"


def term(text: str) -> str:
    """Return the words of a term, without where the glossary has it."""
    return re.sub(r" <.*>$", "", text)


def quoted(match: re.Match[str]) -> str:
    """Return an admonition as a quotation under its title."""
    title, body = match.groups()
    return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *body.splitlines()])


def cited(entry: Entry, role: str) -> str:
    """Return author and year, with a link to the work if its address is known."""
    names = [last_name(person) for person in entry.persons["author"]]
    author = f"{names[0]} et al." if len(names) > 2 else " & ".join(names)
    year = entry.fields["year"]
    words = f"{author}, {year}" if role == "cite:p" else f"{author} ({year})"
    doi = entry.fields.get("doi")
    address = f"https://doi.org/{doi}" if doi else entry.fields.get("url")
    return f"[{words}]({address})" if address else words


def last_name(person: Person) -> str:
    """Return a last name in plain letters."""
    return " ".join(str(name) for name in person.rich_prelast_names + person.rich_last_names)


def readable(notebook: nbformat.NotebookNode, words: Words) -> nbformat.NotebookNode:
    """Return a notebook with words for roles, and a caption under each figure."""
    cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = words.of(cell.source)
        cells.append(cell)
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if figure and figure.get("caption"):
            text = f"**{words.figure(figure['name'])}.** {words.of(figure['caption'])}"
            cells.append(nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-caption"))
    notebook.cells = cells
    return notebook


def write_downloads(app: Sphinx, failure: Exception | None) -> None:
    """Rewrite the notebooks beside the pages."""
    if failure or app.builder.name != "html":
        return
    books = parse_file(str(Path(app.confdir) / app.config.bibtex_bibfiles[0]))
    for page in app.env.found_docs:
        path = Path(app.outdir) / "_sources" / f"{page}.ipynb"
        if path.exists():
            # the page's own source: what an earlier build wrote has its captions already
            notebook = nbformat.read(Path(app.srcdir) / f"{page}.ipynb", as_version=4)
            nbformat.write(readable(notebook, Words(app, page, books)), path)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the hook."""
    app.connect("build-finished", write_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
