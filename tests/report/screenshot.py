"""``python -m tests.report.screenshot`` makes docs/report.png: the HTML report on what the program does to fixtures."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode
from migrator.report.registry import write_report
from tests.conftest import FIXTURES

RULES = FIXTURES / "rules"
REPOS = {
    "webshop": FIXTURES / "repos" / "webshop",
    "payments": RULES / "provider-static-keys" / "aliases-of-two-identities" / "before",
    "network": RULES / "provider-static-keys" / "child-module" / "before",
    "search": RULES / "provider-static-keys" / "dynamic-role" / "before",
    "data-platform": RULES / "provider-static-keys" / "literal-role" / "before",
    "ledger": RULES / "provider-static-keys" / "what-terraform-rejects" / "before",
    "sandbox": RULES / "provider-static-keys" / "localstack" / "before",
    "website": RULES / "provider-static-keys" / "already-web-identity" / "before",
}
TARGET = FIXTURES.parent / "docs" / "report.png"


def main() -> None:
    """Copy the fixtures to folders with the names of repositories, and show the report on them."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, source in REPOS.items():
            shutil.copytree(source, name)
        write_report("report.html", [migrate_repo(name, Config(mode=Mode.PREVIEW)) for name in REPOS])
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
            page.goto(Path("report.html").absolute().as_uri())
            page.locator("#r5 summary").click()
            page.mouse.move(0, 0)
            page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
            page.screenshot(path=TARGET, full_page=True)
            browser.close()


if __name__ == "__main__":
    main()
