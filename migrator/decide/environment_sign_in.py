"""What becomes of a backend, or of a remote state, that leaves signing in to the environment of its runs.

Keys, profile and shared files go. The environment's role reaches the state itself where it is the one that was assumed;
another one stays, and is assumed with it, in the form that the engine knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrator.decide.diagnostics import INTEGRATION_READS_STATE
from migrator.decide.environment_roots import EnvironmentRoot, assumed_role
from migrator.model.findings import Note, Refusal
from migrator.terraform.backend_edit import chained_role
from migrator.terraform.diagnostics import TWO_ROLES

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute, NewArgument
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class EnvironmentSignIn:
    """The arguments that go, are commented out, and come; ``outcome`` says what they come to."""

    remove: tuple[Attribute, ...] = ()
    comment_out: tuple[Attribute, ...] = ()
    append: tuple[NewArgument, ...] = ()
    outcome: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be changed."""
        return not (self.remove or self.comment_out or self.append)


def environment_sign_in(
    workspace: Workspace, backend: S3Backend, root: EnvironmentRoot, *, rejects_flat: bool
) -> EnvironmentSignIn | Refusal:
    """How a backend of a root module leaves signing in to its environment.

    ``rejects_flat`` tells that the engine knows no flat ``role_arn``.
    """
    nested = backend.block.attribute("assume_role")
    if nested is not None and backend.role_arn is not None:
        return TWO_ROLES.refusal()
    is_same = root.has_integration or assumed_role(workspace, backend) == root.role
    removed = ["The static credentials are removed."] * bool(backend.credentials)
    if backend.role_family and (is_same or backend.role_arn is None):
        outcome = " ".join([*removed, "The role is commented out."])
        return EnvironmentSignIn(backend.credentials, backend.role_family, outcome=outcome)
    if nested is not None and is_same and not backend.document.is_ignored(nested):
        return EnvironmentSignIn((*backend.credentials, nested), outcome=" ".join([*removed, "The role is removed."]))
    kept = ["The credentials of the environment assume the role."] * (backend.role_arn is not None)
    if backend.role_arn is None or not rejects_flat:
        return EnvironmentSignIn(backend.credentials, outcome=" ".join([*removed, *kept]))
    chained = chained_role(backend)
    if isinstance(chained, Refusal):
        return chained
    return EnvironmentSignIn((*backend.credentials, *backend.role_family), (), chained, " ".join([*removed, *kept]))


def state_notes(workspace: Workspace, backend: S3Backend, root: EnvironmentRoot) -> Iterator[Note]:
    """That the integration's role must read the state, where another one was assumed for it before."""
    if root.has_integration and backend.assumes_role and assumed_role(workspace, backend) != root.role:
        yield INTEGRATION_READS_STATE.note(str(backend.place))
