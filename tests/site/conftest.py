"""One browser and one small server for the whole session; every other host is out of reach."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SITE = Path(__file__).parents[2] / "_build" / "html"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]


def give_up(reason: str) -> None:
    """Skip with the reason; where the tests must run (CI), fail."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Path], str]]:
    """What serves a folder from this machine, and returns its address."""
    servers = []

    def at(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield at
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def address(serve) -> str:
    """The built site, served from this machine."""
    if not (SITE / "index.html").is_file():
        give_up("the site is not built: make site")
    return serve(SITE)


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """A Chromium: $CHROMIUM, the system's, or playwright's own."""
    sync_api = pytest.importorskip("playwright.sync_api")
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    with sync_api.sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        except sync_api.Error as error:
            give_up(
                f"no browser: set CHROMIUM, or playwright install chromium ({error.message[:80]})"
            )
        yield browser
        browser.close()
