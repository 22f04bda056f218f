"""``python docs/make_images.py`` makes the pictures in docs/images of real runs on the fixtures.

The program runs in a terminal (a pseudo-terminal of this machine), and Rich draws what the terminal showed as SVG. The
HTML report is opened in chromium. Needs git, chromium and the extra ``test``.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FIXTURES = ROOT / "fixtures"
RULES = FIXTURES / "rules" / "provider-static-keys"
REPOS = {
    "webshop": FIXTURES / "repos" / "webshop",
    "payments": RULES / "aliases-of-two-identities" / "before",
    "network": RULES / "child-module" / "before",
    "search": RULES / "dynamic-role" / "before",
    "data-platform": RULES / "literal-role" / "before",
    "ledger": RULES / "what-terraform-rejects" / "before",
    "sandbox": RULES / "localstack" / "before",
    "website": RULES / "already-web-identity" / "before",
}
PICTURES = {"preview": "--preview webshop", "summary": "--check webshop", "help": "--help"}
"""Each picture with the arguments of its run."""

WIDTH, HEIGHT = 110, 400
_DATE = "2026-01-31T10:00:00Z"
_GIT = "git init -q -b main && git add -A && git commit -q -m Start && git remote add origin https://github.com/acme/{}.git"


def main() -> None:
    """Copy the fixtures to folders with the names of repositories, and make every picture."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI")},
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "Acme"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "acme@example.com"),
            **dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), _DATE),
            **{"SOURCE_DATE_EPOCH": "1769853600", "TERM": "xterm-256color", "PAGER": "cat", "COLUMNS": str(WIDTH)},
        }
        for name, source in REPOS.items():
            shutil.copytree(source, Path(folder, name))
            subprocess.run(_GIT.format(name), shell=True, cwd=Path(folder, name), env=environment, check=True)
        for name, arguments in PICTURES.items():
            draw(name, f"tf-oidc-migrate {arguments}", in_terminal(arguments.split(), folder, environment))
        command = ["--preview", "--quiet", "--report", "report.html", *REPOS]
        subprocess.run([sys.executable, "-m", "migrator", *command], cwd=folder, env=environment, capture_output=True)
        photograph(Path(folder, "report.html"))


def in_terminal(arguments: list[str], folder: str, environment: Mapping[str, str]) -> str:
    """What a run shows on a terminal of `WIDTH` columns, with its colours."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    program = [shutil.which("tf-oidc-migrate", path=os.path.dirname(sys.executable)) or "tf-oidc-migrate"]
    process = subprocess.Popen([*program, *arguments], cwd=folder, env=environment, stdin=its, stdout=its, stderr=its)
    os.close(its)
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so at the end
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(ours)
    shown = re.sub(r"\x1b\[\?25[lh]", "", b"".join(parts).decode().replace("\r\n", "\n"))
    return re.sub(r"[^\n]*\n?\r?(?:\x1b\[1A)?\x1b\[2K", "", shown)  # a line that was erased, such as the progress


def draw(name: str, command: str, shown: str) -> None:
    """Write the picture of a terminal."""
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text.from_ansi(f"$ {command}\n{shown.rstrip()}"), soft_wrap=False)
    svg = console.export_svg(title="tf-oidc-migrate", unique_id=name)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # which would be loaded from elsewhere
    (IMAGES / f"{name}.svg").write_text(svg + "\n")


def photograph(page_file: Path) -> None:
    """Write the picture of the HTML report."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.goto(page_file.absolute().as_uri())
        page.evaluate("document.querySelector('#table details').open = true; scrollTo(0, 0)")
        page.screenshot(
            path=IMAGES / "report.png", clip={"x": 0, "y": 0, "width": 1280, "height": 1600}, full_page=True
        )
        browser.close()


if __name__ == "__main__":
    main()
