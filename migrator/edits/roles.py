"""The roles that the user named for identities: which provider or backend has which, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.analysis.backends import S3Backend
from migrator.analysis.origins import Origins, account_of
from migrator.analysis.providers import Provider
from migrator.config import Config
from migrator.mapping import matching
from migrator.model import Note, Refusal
from migrator.workspace import Workspace


class Roles:
    """The mappings of a run, as they apply to the providers and backends of one repository."""

    def __init__(self, workspace: Workspace, config: Config) -> None:
        self._workspace = workspace
        self._config = config
        self._origins: dict[Provider | S3Backend, Origins] = {}
        self.used: set[str] = set()

    def origins(self, holder: Provider | S3Backend) -> Origins:
        """Where the credentials of ``holder`` come from."""
        return self._origins.setdefault(holder, Origins(self._workspace, holder))

    def role(self, holder: Provider | S3Backend) -> str | Refusal | None:
        """The role that ``holder`` is mapped to; None if it is not, a refusal if it is mapped to several."""
        if not self._config.roles:
            return None
        found = matching(self._config.roles, holder.module.path, self.origins(holder).known_by)
        self.used |= {str(one) for one in found}
        if len({one.arn for one in found}) > 1:
            return Refusal(f"{' and '.join(map(str, found))} are mapped to different roles, and it is all of them")
        return found[0].arn if found else None

    def is_mapped(self, holder: Provider | S3Backend) -> bool:
        """Whether the user named a role for it."""
        return self.role(holder) is not None

    def how_to_map(self, provider: Provider) -> str:
        """The option that names a role for the provider; ``""`` where nothing tells it from others."""
        order = ("profile", "alias", "var", "account")
        known = sorted(self.origins(provider).known_by, key=lambda one: (order.index(one[0]), one[1]))
        return f"--role {':'.join(known[0])}=ARN" if known else ""

    def account_notes(self, provider: Provider, role: str) -> Iterator[Note]:
        """That the provider's own lists of accounts do not admit the account of ``role``, if so."""
        if any(one.assumed_roles for one in provider.family):
            return
        account, origins = account_of(role), self.origins(provider)
        allowed, forbidden = origins.listed("allowed_account_ids"), origins.listed("forbidden_account_ids")
        if (allowed and account not in allowed) or account in forbidden:
            lists = "forbidden_account_ids" if account in forbidden else "allowed_account_ids"
            yield Note(
                f"see whether {lists} is right, which does not admit the account of the role, at",
                (str(provider.place),),
            )
