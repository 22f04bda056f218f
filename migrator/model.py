"""What is found, what becomes of it, and what a run on one repository comes to; plain data, fit to be pickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from migrator.engine import Engine, Evidence
from migrator.module_source import ModuleSource
from migrator.span import Edit


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file: ``path`` relative to the repository, ``line`` counted from 1; 0 stands for the whole file.

    The ``offset`` of what begins there tells it from others on its line; people are told of lines.
    """

    path: str
    line: int = 0
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path

    @property
    def key(self) -> str:
        """A name for what begins there, which nothing else has."""
        return f"{self}+{self.offset}"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Edits that are made all together, in all their files, or not at all; ``outcome`` says what they come to."""

    edits: tuple[Edit, ...]
    outcome: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Found, and cannot be rewritten safely: ``reason`` says why. Exit code 3."""

    reason: str


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Found, and rightly left as it is: ``reason`` says why. Not an error."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Found, and left as it is because the user wants it so: ``reason`` says how they said it. Not an error."""

    reason: str


Fix = Rewrite | Refusal | LeftAlone | Ignored


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a person must do: ``task`` in words, ``subjects`` what to do it to, ``paste`` a text to copy.

    Notes alike but for their subjects are told as one.
    """

    task: str
    subjects: tuple[str, ...] = ()
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found at a place, and what is to become of it.

    Findings that name the same ``group`` (a root module) stand or fall together: if one of them is refused, none of
    the group is rewritten. ``notes`` count unless the finding or its group is refused. ``needs`` names groups and
    places without which it is not rewritten, and which do not depend on it.
    """

    rule: str
    place: Place
    message: str
    fix: Fix
    group: str | None = None
    notes: tuple[Note, ...] = ()
    needs: frozenset[str] = frozenset()

    @property
    def fate(self) -> str:
        """What becomes of it, or why nothing does."""
        return self.fix.outcome if isinstance(self.fix, Rewrite) else self.fix.reason


@dataclass(frozen=True, slots=True)
class FileProblem:
    """A file that could not be read or understood, and was therefore left as it is. Exit code 3."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A file before (None: it does not exist yet) and after."""

    path: str
    before: bytes | None = field(repr=False)
    after: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class RepoIdentity:
    """What stacks call a repository: its name, its owner (``""``: not known), and the branches it stands for."""

    name: str
    namespace: str = ""
    branches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """What a stack says of the code that it runs; None for what is not known, ``""`` for a namespace not named.

    ``runs_below`` tells of Terragrunt that runs every unit below the project root.
    """

    repository: str | None
    project_root: str | None
    namespace: str | None = ""
    branch: str | None = None
    runs_below: bool = False


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A root module that needs the hook, as other repositories are told of it.

    ``by`` says how its runs get their credentials: by a ``hook`` or an ``integration``, whose is the ``role``, or by
    ``variables`` that its stacks are to set, each with its value; these may be others as well. ``refusal`` says why
    the module is not migrated, if so.
    ``in_runtime_config`` are the slugs of the stacks whose hooks go into ``.spacelift/config.yml`` beside the module,
    and there alone. With an ``engine`` the module could sign in by itself, if its stacks' engines do: it needs no hook
    then. It does so (``is_native``) where no stack of another repository is known. The hook names ``region``,
    unless that is ``""``.
    """

    repo: str
    identity: RepoIdentity
    path: str
    role: str
    refusal: str = ""
    in_runtime_config: frozenset[str] = frozenset()
    engine: Engine | None = None
    variables: tuple[tuple[str, str], ...] = ()
    is_native: bool = False
    by: str = "hook"
    region: str = ""

    @property
    def is_migrated(self) -> bool:
        """Whether its runs get all their credentials that way."""
        return self.by != "variables" or any(name == "AWS_ROLE_ARN" for name, _ in self.variables)

    @property
    def title(self) -> str:
        """The root module for people."""
        return f"{self.identity.name}: {self.path or '.'}"


@dataclass(frozen=True, slots=True)
class KnownStack:
    """A stack, as other repositories are told of it.

    ``refusal`` says why it cannot get the hook, if so; ``slug`` is ``""`` where it is not known, or does not matter,
    and ``lists`` are the lists of hooks that it sets, each with its commands, None where they are not known;
    ``evidence`` is what it tells of its engine. ``roles`` are the variables that set the ARN of a role for its runs,
    each with its value, ``sets`` the variables of Terraform that it gives any value. ``has_integration`` tells of
    Spacelift's for AWS; ``obstacles`` say why no ``variables`` can be set for it, or no ``integration`` be attached. A
    blueprint is no stack: others are made of it.
    """

    repo: str
    place: Place
    title: str
    code: Code
    refusal: str = ""
    has_hook: bool = False
    slug: str = ""
    lists: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    has_integration: bool = False
    obstacles: tuple[tuple[str, str], ...] = ()
    is_blueprint: bool = False
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownReceiver:
    """A stack of any vendor, or a module, as other repositories are told of it: what contexts attach themselves to.

    ``labels`` are None where they are not known.
    """

    repo: str
    place: Place
    title: str
    labels: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A ``module`` block that calls a module of another repository: of ``source``, or at the path ``folder``.

    ``refusal`` says why it cannot follow a change of that module's variables, if so; one that ``is_unit`` of Terragrunt
    need not.
    """

    repo: str
    place: Place
    title: str
    source: ModuleSource | None = None
    folder: str = ""
    refusal: str = ""
    is_unit: bool = False

    def is_of(self, module: KnownModule) -> bool:
        """Whether it calls ``module``, as far as can be seen."""
        if self.source is None:
            return self.folder == module.folder
        if self.source.is_released and (self.source.name, self.source.folder) in module.addresses:
            return True
        identity = module.identity
        return self.source.is_in(identity.name, identity.namespace) and self.source.folder == module.path

    def is_pinned(self, module: KnownModule) -> bool:
        """Whether it goes on with the ``module`` as it was, until somebody raises the version."""
        return self.source is not None and not self.source.is_at_head(module.identity.branches)


@dataclass(frozen=True, slots=True)
class KnownInput:
    """A variable for a role that a module gets.

    ``origin`` tells whose, in expressions over the module's other variables: see `migrator.analysis.told_identities`.
    """

    name: str
    origin: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownModule:
    """A module whose variables are not what they were: what its callers in other repositories must know.

    ``folder`` is where it lies on this machine, ``addresses`` what registries call it, each with the folder in that.
    ``refusal`` says why it is not migrated after all, if so, ``defaults`` what its variables are that are not passed.
    """

    repo: str
    identity: RepoIdentity
    path: str
    place: Place
    folder: str
    gains: tuple[KnownInput, ...] = ()
    loses: tuple[str, ...] = ()
    refusal: str = ""
    addresses: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """A name for the module that no other one of the run has."""
        return f"{self.repo}: {self.path or '.'}"

    @property
    def title(self) -> str:
        """The module for people."""
        return f"{self.identity.name}: {self.path or '.'}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What one repository of a fleet tells the others; ``told`` is what it was told of calls between them before.

    ``labels`` are those to which contexts with static credentials attach themselves, ``registered`` the modules that it
    puts into a registry: what each is called there, and where it comes from.
    """

    repo: str
    roots: tuple[KnownRoot, ...] = ()
    stacks: tuple[KnownStack, ...] = ()
    receivers: tuple[KnownReceiver, ...] = ()
    labels: tuple[str, ...] = ()
    calls: tuple[KnownCall, ...] = ()
    modules: tuple[KnownModule, ...] = ()
    told: tuple[Survey, ...] = ()
    registered: tuple[tuple[str, ModuleSource], ...] = ()

    @property
    def is_of_interest(self) -> bool:
        """Whether other repositories have anything to do with this one."""
        return self != Survey(self.repo)


@dataclass(frozen=True, slots=True)
class StackRow:
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


@dataclass(frozen=True, slots=True)
class SigningRow:
    """Who signs the requests of one provider, backend or remote state of a root module, ``before`` and ``after``.

    ``root`` is the module's path, ``.`` for the repository's root; ``who`` names what signs; keys are masked.
    """

    root: str
    who: str
    before: str
    after: str

    @property
    def is_notable(self) -> bool:
        """Whether it changes, or lives on static credentials still."""
        return self.before != self.after or not self.after.startswith(("web identity", "the environment"))


@dataclass(frozen=True, slots=True)
class TrustRow:
    """A role, by its ARN, that runs sign in with after the migration; the ``stacks`` whose runs, as far as known."""

    role: str
    stacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run would do to one repository: every finding with its final fate, and the files after it.

    ``mapped`` are the origins of credentials that were found here, among those that the user mapped to roles.
    ``masked`` are the changes as they may be shown.
    """

    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[Note, ...] = ()
    stacks: tuple[StackRow, ...] = ()
    signers: tuple[SigningRow, ...] = ()
    trusts: tuple[TrustRow, ...] = ()
    mapped: tuple[str, ...] = ()
    survey: Survey = Survey("")
    masked: tuple[Change, ...] = field(default=(), repr=False)


class Mode(Enum):
    """What is done with a plan."""

    BRANCH = "branch"
    PREVIEW = "preview"
    CHECK = "check"
    IN_PLACE = "in-place"


@dataclass(frozen=True, slots=True)
class RepoResult:
    """What a run on one repository came to.

    ``base`` is the branch that the new one was made of, ``was_there`` says that an earlier run made it; ``pushed`` is
    the remote that it was pushed to, ``pull_request`` a URL. ``inputs`` are the files that the plan was made of, each
    with a hash, ``fingerprint`` is the hash of its outcome. ``mapped`` is as in `Plan`.
    """

    repo: str
    mode: Mode
    findings: tuple[Finding, ...] = ()
    problems: tuple[FileProblem, ...] = ()
    notes: tuple[Note, ...] = ()
    stacks: tuple[StackRow, ...] = ()
    signers: tuple[SigningRow, ...] = ()
    trusts: tuple[TrustRow, ...] = ()
    mapped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    diff: bytes = field(default=b"", repr=False)
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

    @property
    def is_failed(self) -> bool:
        """Whether something could not be processed: exit code 3."""
        return bool(self.error or self.problems) or any(isinstance(one.fix, Refusal) for one in self.findings)
