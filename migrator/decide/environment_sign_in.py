"""What becomes of a backend, or of a remote state, that leaves signing in to the environment of its runs.

Keys, profile and shared files go. The environment's role reaches the state itself where it is the one that was assumed;
another one stays, and is assumed with it, in the form that the engine knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrator.decide.diagnostics import INTEGRATION_READS_STATE
from migrator.decide.environment_roots import EnvironmentRoot, assumed_role
from migrator.model.findings import Note, Refusal
from migrator.terraform.backend_edit import SignIn
from migrator.terraform.diagnostics import TWO_ROLES

if TYPE_CHECKING:
    from migrator.syntax.terraform import Attribute
    from migrator.terraform.backends import S3Backend
    from migrator.workspace.workspace import Workspace


def environment_sign_in(
    workspace: Workspace, backend: S3Backend, root: EnvironmentRoot, *, rejects_flat: bool
) -> SignIn[Attribute] | Refusal:
    """How a backend of a root module leaves signing in to its environment.

    ``rejects_flat`` tells that the engine knows no flat ``role_arn``.
    """
    nested = backend.block.attribute("assume_role")
    if nested is not None and backend.role_arn is not None:
        return TWO_ROLES.refusal()
    is_same = root.has_integration or assumed_role(workspace, backend) == root.role
    removed = ["The static credentials are removed."] * bool(backend.credentials)
    if backend.role_family and (is_same or backend.role_arn is None):
        outcome = (*removed, "The role is commented out.")
        return SignIn("", backend.credentials, (), backend.role_family, outcome)
    if nested is not None and is_same and not backend.document.is_ignored(nested):
        return SignIn("", (*backend.credentials, nested), said=(*removed, "The role is removed."))
    kept = ["The credentials of the environment assume the role."] * (backend.role_arn is not None)
    if backend.role_arn is None or not rejects_flat:
        return SignIn("", backend.credentials, said=(*removed, *kept))
    assumed = backend.assumed
    if isinstance(assumed, Refusal):
        return assumed
    chained = assumed.chained if assumed is not None else ()
    return SignIn("", (*backend.credentials, *backend.role_family), chained, said=(*removed, *kept))


def state_notes(workspace: Workspace, backend: S3Backend, root: EnvironmentRoot) -> Iterator[Note]:
    """That the integration's role must read the state, where another one was assumed for it before."""
    if root.has_integration and backend.assumes_role and assumed_role(workspace, backend) != root.role:
        yield INTEGRATION_READS_STATE.note(str(backend.place))
