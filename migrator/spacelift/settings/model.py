"""Settings of Spacelift that hand static AWS credentials to runs: environment variables and mounted files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from migrator.regex import regex
from migrator.terraform.credential_names import ANY, SELECTORS, STATIC, plain_name

if TYPE_CHECKING:
    from migrator.model.findings import Place, Refusal
    from migrator.spacelift.attached.reach import Reach
    from migrator.span import Edit, Span
    from migrator.syntax.terraform import Attribute, Block
    from migrator.syntax.yaml.tree import Keys
    from migrator.terraform.expressions.objects import Part
    from migrator.workspace.document import Document

_FILE = regex(r"(?:[^\n]*/)?(?:\.aws/(?:credentials|config)|\.?aws[-_]credentials(?:\.\w+)?)")
_MENTION = regex(rf"(?<![A-Za-z0-9])(?:{ANY})\b|\.aws/credentials\b")


class SetVariable(Struct, frozen=True):
    """A variable that is set at ``place``; ``value`` is None if not known."""

    name: str
    value: str | None
    place: Place

    @property
    def variable(self) -> str:
        """The Terraform variable that gets a value; ``""`` if there is none."""
        prefix, is_variable, name = self.name.partition("TF_VAR_")
        return name if is_variable and prefix in ("", "ro_", "wo_") else ""


def is_static_variable(name: str) -> bool:
    """Whether an environment variable holds a static AWS credential, or names a profile or a file with some."""
    return plain_name(name) in STATIC


def holds_keys(name: str) -> bool:
    """Whether a static variable or file of that ``name`` may hold keys: ``AWS_PROFILE`` only names a profile."""
    return plain_name(name) not in (*SELECTORS, "AWS_CREDENTIAL_EXPIRATION")


def is_static_file(path: str) -> bool:
    """Whether a file that is mounted at ``path`` holds static AWS credentials."""
    return _FILE.fullmatch(path) is not None


def mentions_static(text: str) -> bool:
    """Whether a text mentions such a variable or file."""
    return _MENTION.search(text) is not None


class Setting(Struct, frozen=True, eq=False, kw_only=True):
    """A setting at ``place``, of one or more ``names``.

    ``literals`` are the places with written keys. ``objection`` is the reason if the setting cannot be removed.
    ``roots`` are the root modules (by path) that get the setting without a known stack.
    """

    document: Document
    place: Place
    title: str
    names: tuple[str, ...]
    reach: Reach
    roots: tuple[str, ...] = ()
    literals: tuple[Place, ...] = ()
    objection: Refusal | None = None
    is_ignored: bool = False


class TerraformSetting(Setting, frozen=True, eq=False, kw_only=True):
    """A resource: ``entries`` of ``for_each``, or blocks ``nested`` ``within`` the resource; else the whole ``block``.

    ``unlisted`` are edits that remove the resource from every ``depends_on``.
    """

    block: Block
    entries: tuple[tuple[Part, tuple[Attribute, ...]], ...] = ()
    within: Block | None = None
    nested: tuple[Block, ...] = ()
    unlisted: tuple[Edit, ...] = ()


class YamlSetting(Setting, frozen=True, eq=False, kw_only=True):
    """Entries at ``keys`` of a YAML document, which may be a ``part`` of its file."""

    keys: tuple[Keys, ...]
    part: Span | None = None
