"""How the tests look at a page: what goes wrong on it, what is too wide, what axe finds."""

from pathlib import Path

AXE = Path(__file__).parent / "axe" / "axe.min.js"
RUN = """
async () => {
  document.querySelectorAll("details").forEach((d) => d.open = true);
  const { violations } = await axe.run(document);
  return violations.map((v) =>
    `${v.id}: ${v.nodes.length}, such as ${v.nodes[0].html.slice(0, 160)} (${v.help})`);
}
"""

# Where something widens a narrow page: three of the innermost culprits.
BEYOND = """
() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
  [...document.querySelectorAll("article *")]
    .filter((e) => e.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(-3).map((e) => `too wide for a narrow screen: ${e.outerHTML.slice(0, 120)}`)
"""


def watch(page, address: str) -> list[str]:
    """Collect everything that goes wrong on a page while it is open."""
    found: list[str] = []

    def told(message) -> None:
        if message.type in ("error", "warning"):
            found.append(f"console: {message.text}")

    def asked(request) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            found.append(f"asks an outside host: {request.url}")

    page.on("console", told)
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("request", asked)
    page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
    page.on("response", lambda r: r.status < 400 or found.append(f"{r.status}: {r.url}"))
    return found


def axe(page) -> list[str]:
    """Return what axe finds on a page."""
    page.add_script_tag(path=AXE)
    return page.evaluate(RUN)
