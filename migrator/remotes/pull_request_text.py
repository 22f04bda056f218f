"""Title and text of a pull request, from a template."""

from __future__ import annotations

from pathlib import Path
from string import Template

from msgspec import Struct

from migrator.errors import UsageError
from migrator.secret.mask import mask

PLACEHOLDERS = ("summary", "rollout", "repo", "branch")

DEFAULT = """\
Sign in to AWS with Spacelift's OIDC token

This change removes static AWS credentials. Runs in Spacelift sign in to AWS with their OIDC token instead.

${rollout}
${summary}

The git history of ${repo} still holds the removed keys. Deactivate and delete these keys, as the list says.
"""

_LONGEST_TITLE = 255
_LONGEST_BODY = 65_000
_CUT = "\n\n… (The text is cut here: GitHub limits the length of a pull request.)\n"


class PullRequestText(Struct, frozen=True):
    """The title and text of a pull request, without secrets."""

    title: str
    body: str


def read_template(file: str | None) -> str:
    """The template in ``file``, the default one for None.

    The first line is the title, the rest is the body. ``${summary}``, ``${rollout}`` (the steps to go live),
    ``${repo}`` and ``${branch}`` are placeholders, and ``$$`` is a dollar. Raises `UsageError` for a template that
    cannot be read, has other placeholders, or has no title.
    """
    if file is None:
        return DEFAULT
    try:
        text = Path(file).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"The template {file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"The template {file} must be text in UTF-8") from None
    template = Template(text)
    if not template.is_valid():
        raise UsageError(f"The template {file} has a $ without a placeholder. help: write $$ for a dollar sign")
    unknown = [name for name in template.get_identifiers() if name not in PLACEHOLDERS]
    if unknown:
        placeholders = ", ".join(f"${{{name}}}" for name in PLACEHOLDERS)
        raise UsageError(f"The template {file} uses ${{{unknown[0]}}}. The placeholders are {placeholders}")
    if not text.split("\n", 1)[0].strip():
        raise UsageError(f"The first line of the template {file} must be the title")
    return text


def fill(template: str, *, summary: str, repo: str, branch: str, rollout: str = "") -> PullRequestText:
    """The text of ``template`` with these values, with secrets masked.

    The text is cut to GitHub's limit.
    """
    values = {"summary": summary, "rollout": rollout, "repo": repo, "branch": branch}
    text = mask(Template(template).substitute(values))
    title, _, body = text.partition("\n")
    body = body.strip() + "\n"
    if len(body) > _LONGEST_BODY:
        body = body[: _LONGEST_BODY - len(_CUT)] + _CUT
    return PullRequestText(title.strip()[:_LONGEST_TITLE], body)
