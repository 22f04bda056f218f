"""Runs of the migrated code outside of Spacelift, where Spacelift's token file does not exist.

Only what is sure counts: the file of a CI service, or a shell script that such a file names, with a command that plans,
applies or initialises. A folder that the command names counts if a provider or backend there has the token file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.results import CODE, stage_of
from migrator.regex import regex
from migrator.terraform.credential_texts import LARGEST, read_plain

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Change, Finding, Note
    from migrator.workspace.workspace import Workspace

RUN_BY_OTHER_CI = Diagnostic(
    "run-by-other-ci",
    found="Prepare or remove these runs of Terraform outside of Spacelift before you merge.",
    why="Spacelift's token file exists in Spacelift's runs only, so these runs cannot sign in with the migrated code.",
    help="Run again with `--portable` and give the job credentials of its own. Or remove the job.",
    page="""\
A workflow of GitHub Actions, a GitLab pipeline or another CI service runs `terraform`, `tofu` or `terragrunt` for code
that this run migrates. The migrated provider reads the token of Spacelift from a file that other services do not have.

With `--portable`, the provider uses the token only if its role variable is set, as on the stack. The job then signs in
with the credentials of its own environment. The page docs/other-ci-and-laptops.md has the details. If Spacelift
replaces the job, remove the job. A Makefile or script that no file of a CI service names is not searched.""",
)
_CI = regex(
    r"\.github/workflows/[^/]+\.ya?ml|\.gitlab-ci\.ya?ml|\.gitlab/.+\.ya?ml|\.circleci/config\.ya?ml"
    r"|\.buildkite/.+\.ya?ml|\.travis\.ya?ml|\.drone\.ya?ml|bitbucket-pipelines\.ya?ml"
    r"|atlantis\.ya?ml|(?:.+/)?(?:Jenkinsfile|(?:azure-pipelines|buildspec|cloudbuild)\.ya?ml)"
)
_RUN = regex(
    r"(?m)^[ \t]*(?:-[ \t]+)?(?:(?:run|script|before_script|after_script|command|bash|sh)\b[ \t]*:?[ \t]*)?"
    r"[|>\"'\[(]*+[ \t]*+"
    r"(?P<before>[^#\n]*?(?:&&|;)[ \t]*+)?(?:[A-Z_][A-Z0-9_]*+=[^\s;&]*+[ \t]++)*+"
    r"(?:gitlab-)?(?P<program>terraform|tofu|terragrunt)[ \t]+(?P<arguments>[^#\n]*)"
)
_ACTION = regex(
    r"(?m)^[ \t]*(?:-[ \t]+)?uses:[ \t]*[\"']?(?:dflook/(?:terraform|tofu)-(?:plan|apply|destroy)"
    r"|gruntwork-io/terragrunt-action)@"
)
_PROJECT = regex(r"(?m)^[ \t]*(?:-[ \t]+)?dir:[ \t]*[\"']?([^\s\"']+)")
"""A project of Atlantis: https://www.runatlantis.io/docs/repo-level-atlantis-yaml."""
_SIGNS_IN = regex(r"(?:init|plan|apply|destroy|import|refresh)\b")
_FOLDER = regex(r"(?:-chdir=|working-dir[= ]|\bcd[ \t]+|working-directory:[ \t]*|\bpath:[ \t]*)[\"']?([^\s\"';&]+)")
_SCRIPT = regex(r"(?m)^(?![ \t]*#).*?(?<![\w/.-])(?:\./)?((?:[\w.-]+/)*[\w-][\w.-]*\.(?:sh|bash))\b")


def notes_on_other_ci(context: Context, findings: Iterable[Finding], changes: Iterable[Change]) -> Iterator[Note]:
    """A note with the runs of the migrated code by other CI services; none with ``--portable``."""
    workspace, token = context.workspace, context.config.token_file.encode()
    if context.config.portable:
        return
    migrated = {posixpath.dirname(finding.place.path) for finding in findings if stage_of(finding) == CODE}
    with_token = {posixpath.dirname(change.path) for change in changes if token in change.after} & migrated
    modules = [workspace.modules[folder] for folder in with_token if folder in workspace.modules]
    folders = with_token | {root.path for module in modules for root in workspace.roots_of(module)}
    runs = dict.fromkeys(_runs(workspace, folders)) if folders else {}
    if runs:
        yield RUN_BY_OTHER_CI.note(*runs)


def _runs(workspace: Workspace, folders: Collection[str]) -> Iterator[str]:
    """The first run in each file, as ``PATH:LINE``, of code in ``folders`` or in a folder that is not known."""
    for path in sorted(path for path in workspace.paths if _CI.fullmatch(path) and not workspace.is_excluded(path)):
        text = _text(workspace, path)
        scripts = [found for match in _SCRIPT.finditer(text) if workspace.has_file(found := match[1])]
        for file in (path, *dict.fromkeys(scripts)):
            content = text if file == path else _text(workspace, file)
            found = (match for match in _RUN.finditer(content) if _is_affected(workspace, content, match, folders))
            first = next(found, None) or _ACTION.search(content) or _project(file, content, folders)
            if first is not None:
                yield f"{file}:{content.count(chr(10), 0, first.end()) + 1}"


def _project(file: str, text: str, folders: Collection[str]) -> re.Match[str] | None:
    """The first project of Atlantis that runs code in one of the ``folders``."""
    affected = {folder or "." for folder in folders}
    projects = _PROJECT.finditer(text) if file.startswith("atlantis.") else ()
    return next((match for match in projects if posixpath.normpath(match[1]) in affected), None)


def _is_affected(workspace: Workspace, text: str, run: re.Match[str], folders: Collection[str]) -> bool:
    """Whether a command may sign in with code of one of the ``folders``."""
    words = [word.strip("\"'") for word in run["arguments"].split()]
    is_terragrunt = run["program"] == "terragrunt"
    command = next((word for word in words if is_terragrunt or not word.startswith("-")), "")
    if not (any(map(_SIGNS_IN.match, words)) if is_terragrunt else _SIGNS_IN.match(command)):
        return False
    if "-backend=false" in words:
        return False
    on_the_line = _FOLDER.findall(f"{run['before'] or ''}{run['arguments']}")
    paths = {"" if path == "." else path for path in map(posixpath.normpath, on_the_line or _FOLDER.findall(text))}
    paths |= {""} if not on_the_line and "" in workspace.modules else set()
    if not paths or not paths <= workspace.modules.keys():
        return True  # where the command runs is not known
    below = tuple(f"{path}/" for path in paths) if is_terragrunt else ()
    return any(folder in paths or folder.startswith(below) for folder in folders)


def _text(workspace: Workspace, path: str) -> str:
    return (read_plain(str(workspace.root / path), LARGEST) or b"").decode("utf-8", "replace").replace("\r\n", "\n")
