"""What a run on one repository comes to; plain data, fit to be pickled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum

from msgspec import Struct

from migrator.errors import ExitCode
from migrator.model.findings import Change, FileProblem, Finding, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.verification import VerifiedStack

_RUN_CREDENTIALS = frozenset({"environment-credentials", "environment-unchanged"})
"""The codes of providers and backends that name no credentials, and use those of the run."""

NOT_UNDERSTOOD = "mention-not-understood"
"""The code of places that mention AWS credentials, and that nothing accounts for."""


STACKS, CODE, KEYS = "stacks", "code", "keys"
"""The stages in which a migration goes live: what stacks need, the code, and the removal of keys from stacks."""

_OF_STACKS = ("spacelift-hook-", "spacelift-variables", "spacelift-aws-integration")
KEYS_RULE = "spacelift-credentials"
"""The rule that takes static keys out of stacks and contexts."""


def stage_of(finding: Finding) -> str:
    """The stage in which a rewrite goes live; ``""`` for what is no rewrite."""
    if not isinstance(finding.fix, Rewrite):
        return ""
    return STACKS if finding.rule.startswith(_OF_STACKS) else KEYS if finding.rule == KEYS_RULE else CODE


def stages_of(findings: Iterable[Finding]) -> list[str]:
    """The stages that the rewrites among ``findings`` go live in, in order."""
    names = {stage_of(finding) for finding in findings}
    return [stage for stage in (STACKS, CODE, KEYS) if stage in names]


class StagedChanges(Struct, frozen=True):
    """The changes of a stage and of those before it, together."""

    name: str
    changes: tuple[Change, ...] = ()


class Stage(Struct, frozen=True):
    """A stage of a migration as a branch: its ``commit`` is made on that of the stage before it."""

    name: str
    branch: str
    commit: str
    pull_request: str = ""


class StackRow(Struct, frozen=True):
    """A Spacelift stack as the summary tells of it.

    ``place`` is in the repository called ``repo``, ``""`` for the one that the result is of; ``code`` says what the
    stack runs, ``""`` where that is not known; ``hook`` what becomes of its hooks, ``remarks`` what to know of it.
    """

    title: str
    place: Place
    repo: str = ""
    code: str = ""
    hook: str = ""
    remarks: tuple[str, ...] = ()


class SigningRow(Struct, frozen=True):
    """Who signs the requests of one provider, backend or remote state of a root module, ``before`` and ``after``.

    ``root`` is the module's path, ``.`` for the repository's root; ``who`` names what signs; keys are masked.
    ``role`` is the role of the web identity that signs afterwards, an ARN or an expression; ``""`` if none does.
    ``is_keyless`` says that no static credentials sign afterwards, as far as the module's code tells.
    """

    root: str
    who: str
    before: str
    after: str
    role: str = ""
    is_keyless: bool = False

    @property
    def is_notable(self) -> bool:
        """Whether it changes, or lives on static credentials still."""
        return self.before != self.after or not self.is_keyless


class TrustRow(Struct, frozen=True):
    """A role, by its ARN, that runs sign in with after the migration; the ``stacks`` whose runs, as far as known."""

    role: str
    stacks: tuple[str, ...] = ()


class Plan(Struct, frozen=True):
    """What one run would do to one repository: every finding with its final fate, and the files after it.

    ``mapped`` are the origins of credentials that were found here, among those that the user mapped to roles.
    ``masked`` are the changes as they may be shown, ``stages`` the same by stage, if
    the user asks for stages.
    """

    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[Note, ...] = ()
    stacks: tuple[StackRow, ...] = ()
    signers: tuple[SigningRow, ...] = ()
    trusts: tuple[TrustRow, ...] = ()
    mapped: tuple[str, ...] = ()
    masked: tuple[Change, ...] = ()
    stages: tuple[StagedChanges, ...] = ()


class Revision(Struct, frozen=True):
    """What a run looked at: the checkout's ``folder`` by its last name, the ``branch`` and ``commit`` checked out.

    ``remote`` is the address of ``origin`` for a browser. ``""`` stands for whatever is not known.
    """

    folder: str = ""
    remote: str = ""
    branch: str = ""
    commit: str = ""


class Mode(Enum):
    """What is done with a plan."""

    BRANCH = "branch"
    PREVIEW = "preview"
    CHECK = "check"
    IN_PLACE = "in-place"


class RepoResult(Struct, frozen=True):
    """What a run on one repository came to.

    ``base`` is the branch that the new one was made of, ``was_there`` says that an earlier run made it; ``pushed`` is
    the remote that it was pushed to, ``pull_request`` a URL. ``inputs`` are the files that the plan was made of, each
    with a hash, ``fingerprint`` is the hash of its outcome. ``mapped`` is as in `Plan`; lines of findings are of
    the ``revision``. Where each of the ``stages`` has a branch of its own, ``branch`` is the last of them.
    """

    repo: str
    mode: Mode
    findings: tuple[Finding, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[Note, ...] = ()
    stacks: tuple[StackRow, ...] = ()
    signers: tuple[SigningRow, ...] = ()
    trusts: tuple[TrustRow, ...] = ()
    verified: tuple[VerifiedStack, ...] = ()
    mapped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    diff: bytes = b""
    is_masked: bool = False
    branch: str = ""
    commit: str = ""
    base: str = ""
    was_there: bool = False
    pushed: str = ""
    pull_request: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    fingerprint: str = ""
    error: str = ""
    stages: tuple[Stage, ...] = ()
    revision: Revision = Revision()

    def __repr__(self) -> str:
        return f"RepoResult({self.repo!r}, {self.mode.value!r})"

    @property
    def title(self) -> str:
        """What people call the repository: as the run names it, but its remote or folder instead of ``.``."""
        if self.repo.strip("./"):
            return self.repo
        return self.revision.remote.partition("://")[2] or self.revision.folder or self.repo

    @property
    def run_credentials(self) -> tuple[Place, ...]:
        """The providers and backends that name no credentials: they use whatever the stack provides."""
        return tuple(finding.place for finding in self._left_alone(*_RUN_CREDENTIALS))

    @property
    def not_understood(self) -> tuple[str, ...]:
        """The lines, as ``PATH:LINE``, that mention AWS credentials and that this program did not understand."""
        notes = (note for finding in self._left_alone(NOT_UNDERSTOOD) for note in finding.notes)
        return tuple(subject for note in notes for subject in note.subjects)

    def _left_alone(self, *codes: str) -> Iterator[Finding]:
        return (
            finding for finding in self.findings if isinstance(finding.fix, LeftAlone) and finding.fix.code in codes
        )

    @property
    def is_failed(self) -> bool:
        """Whether the repository or a file of it could not be processed: exit code 3."""
        return bool(self.error or self.problems)

    @property
    def is_refused(self) -> bool:
        """Whether a place in it was refused: exit code 4."""
        return any(isinstance(finding.fix, Refusal) for finding in self.findings)

    @property
    def is_whole(self) -> bool:
        """Whether nothing failed and nothing was refused."""
        return not self.is_failed and not self.is_refused


def exit_code(results: Iterable[RepoResult]) -> ExitCode:
    """The exit code of a run with these ``results``."""
    is_changed = is_refused = is_failed = False
    for result in results:
        is_failed |= result.is_failed
        is_refused |= result.is_refused
        is_changed |= result.mode is Mode.CHECK and bool(result.changed)
    if is_failed:
        return ExitCode.FAILED
    return ExitCode.WOULD_CHANGE if is_changed else ExitCode.REFUSED if is_refused else ExitCode.DONE
