"""Access keys anywhere else in the tree are listed, so that people can delete them; nothing is changed.

A key goes with the text that other rules remove, for example with a comment above an argument.

What an access key id looks like: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html. The keys
of AWS's documentation and obvious mocks are not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Fix, Rewrite
from migrator.model.notes import OF_KEYS, ROTATE, ROTATE_AND_REMOVE
from migrator.rules.registry import Rule
from migrator.terraform.key_literals import KeyLiteral, key_literals, keys_in

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.model.findings import Finding

KEY_IN_FILE = Diagnostic(
    "key-in-file",
    found="An AWS access key is written out in this file.",
    why="No provider, backend or setting that this program migrates names this key, so nothing was changed.",
    help="Remove the key by hand, and deactivate and delete the key in IAM when nothing uses the key.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each key, if the repository has something to migrate, except for keys of other rules."""
    facts = context.facts
    of_aws = (facts.providers, facts.roots, facts.remote_states, facts.terragrunt.units, facts.programs)
    if not any((*of_aws, facts.stacks, facts.settings)):
        return
    accounted = set(_accounted_for(context))
    keys = [key for key in key_literals(context.workspace) if str(key.place) not in accounted]
    removed = dict(_removed(context)) if keys else {}
    for key in keys:
        if key.masked in removed.get(key.place.path, ()):
            fix: Fix = Rewrite((), "The key is removed with the text around the key.")
            note = ROTATE.note(str(key.place))
        else:
            fix, note = KEY_IN_FILE.left_alone(), ROTATE_AND_REMOVE.note(str(key.place))
        yield RULE.finding(key.place, _message(key), fix, notes=(note,))


def _removed(context: Context) -> Iterator[tuple[str, set[str]]]:
    """The keys that each file loses by the changes of other rules, masked."""
    for change in context.changes:
        kept = {key.masked for key in keys_in(change.path, change.after)}
        yield change.path, {key.masked for key in keys_in(change.path, change.before or b"")} - kept


def _accounted_for(context: Context) -> Iterator[str]:
    """The lines with findings of other rules."""
    facts = context.facts
    backends = [backend for root in facts.roots for backend in root.backends] + list(facts.stray_backends)
    backends += [config.backend for state in facts.remote_states for config in state.configs]
    arguments = [(provider.document, argument) for provider in facts.providers for argument in provider.credentials]
    arguments += ((backend.document, argument) for backend in backends for argument in backend.credentials)
    for document, argument in arguments:
        first, last = document.source.line(argument.span.start), document.source.line(argument.span.end)
        yield from (f"{document.path}:{line}" for line in range(first, last + 1))
    yield from (str(place) for setting in facts.settings for place in setting.literals)
    notes = (note for finding in context.earlier_findings for note in finding.notes if note.code in OF_KEYS)
    yield from (subject.partition(" ")[0] for note in notes for subject in note.subjects)


def _message(key: KeyLiteral) -> str:
    return f"access key {key.masked}{' and its secret' if key.has_secret else ''}"


RULE = Rule("key-literals", "access keys elsewhere in the tree are listed", check, phase=2)
