"""The roles that the user named for identities: which provider or backend has which, and what speaks against it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import TYPE_CHECKING

from migrator.config.role_mapping import Origin, RoleMapping, matching
from migrator.decide.refusals import TOO_MANY
from migrator.model.findings import Note, Place, Refusal
from migrator.terraform.backends import S3Backend
from migrator.terraform.expressions.terms import TermsError
from migrator.terraform.origins import Origins, account_of
from migrator.terraform.providers import Provider
from migrator.terraform.residues import Identity, is_varying
from migrator.terraform.root_values import root_values
from migrator.workspace.discover import Kind

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.terraform.usage.declarations import Given

_SEVERAL = Refusal("it stands for several identities, which are mapped to different roles")
_VARIES = "its credentials are others in other environments"


class Roles:
    """The mappings of a run, as they apply to the providers and backends of one repository."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._origins: dict[Provider | S3Backend, Origins] = {}
        self._instances: dict[Provider, frozenset[tuple[str, Identity]] | None] = {}
        settings = context.variable_settings
        self.values = root_values(context.workspace, settings.of, settings.mounted, self._inputs_called)
        self.values.elsewhere = self._set_elsewhere
        self.residues = self.values.residues
        self._claims: dict[str, dict[Origin, set[Identity]]] = {}
        self._known_by: dict[RoleMapping, dict[Identity, Provider]] = {}
        self.used: set[str] = set()

    def _set_elsewhere(self, root: str, name: str) -> list[Place]:
        """The stacks of other repositories, and of the account, that give a variable of a root module a value."""
        runners = self._context.facts.runners_of(root)
        told = [Place(f"{stack.repo}: {stack.place}") for stack in runners.elsewhere if name in stack.sets]
        return told + [Place(account.place) for account in runners.accounts if name in account.sets]

    def _inputs_called(self, name: str) -> Iterator[Given]:
        return self._context.terragrunt_inputs.of(name)

    def origins(self, holder: Provider | S3Backend) -> Origins:
        """Where the credentials of ``holder`` come from."""
        return self._origins.setdefault(holder, Origins(self._context.workspace, holder))

    def instances(self, provider: Provider) -> frozenset[tuple[str, Identity]] | None:
        """What the provider's credentials are in each root module that leads to it; None if the ways are too many."""
        if provider not in self._instances:
            try:
                found = self.residues.at_roots(provider.module, self.residues.identity(provider))
            except TermsError:
                found = None
            self._instances[provider] = found
        return self._instances[provider]

    def role(self, holder: Provider | S3Backend) -> str | Refusal | None:
        """The one role that ``holder`` is mapped to; None if it is not, a refusal if it is mapped to several."""
        if not self._context.config.roles:
            return None
        if isinstance(holder, S3Backend):
            return self._mapped(holder, self.origins(holder).known_by)
        roles = self._roles_of(holder)
        return _SEVERAL if len(roles) > 1 else next(iter(roles), None)

    def is_mapped(self, holder: Provider | S3Backend) -> bool:
        """Whether the user named one role for it."""
        return self.role(holder) is not None and not (isinstance(holder, Provider) and self.is_several(holder))

    def is_several(self, provider: Provider) -> bool:
        """Whether the provider is mapped, but to no one role: it has another in other instances or environments."""
        roles = self._roles_of(provider) if self._context.config.roles else frozenset()
        return len(roles) > 1 and not any(isinstance(outcome, Refusal) for outcome in roles)

    def _roles_of(self, provider: Provider) -> frozenset[str | Refusal | None]:
        instances = self.instances(provider)
        if instances is None:
            return frozenset({TOO_MANY if self._mapped(provider, self.origins(provider).known_by) else None})
        cases = (self.cases(provider, root, identity) for root, identity in instances)
        found = frozenset(role for case in cases for _, role in case)
        refused = frozenset(outcome for outcome in found if isinstance(outcome, Refusal))
        return refused or found

    def cases(
        self, provider: Provider, root: str, identity: Identity
    ) -> list[tuple[Place | None, str | Refusal | None]]:
        """The role of one identity of the provider: for each of its environments, with a place, or for all."""
        differing = self.values.differing(root, identity)
        if not self._context.config.roles:
            return [(None, None)]
        others = self._known_beside(provider, root, identity)
        if not differing and not self.values.is_by_workspace(identity):
            settled = self.values.settled(root, identity)
            return [(None, self._mapped(provider, others | _profile(settled), root))]
        found: list[tuple[Place | None, str | Refusal | None]] = []
        for place, case in self.values.cases(root, identity):
            found.append((place, self._mapped(provider, _profile(case), root)))
        if self._mapped(provider, others, root) is not None:
            return [(None, Refusal(self.varies(differing)))]
        return found or [(None, None)]

    def varies(self, differing: Sequence[Place]) -> str:
        """That credentials are others in other environments, which is said at some places."""
        said = ", ".join(map(str, differing))
        return f"{_VARIES}, by {said or 'terraform.workspace'}: a role that is written out would be for all of them"

    def _mapped(
        self, holder: Provider | S3Backend, known_by: AbstractSet[Origin], root: str | None = None
    ) -> str | Refusal | None:
        found = matching(self._context.config.roles, holder.module.path, known_by)
        self.used |= {str(role_mapping) for role_mapping in found}
        if len({role_mapping.arn for role_mapping in found}) > 1:
            return Refusal(f"{' and '.join(map(str, found))} are mapped to different roles, and it is all of them")
        for role_mapping in found if root is not None and isinstance(holder, Provider) else ():
            if role_mapping.origin[0] != "account" and len(self._claimed(root or "").get(role_mapping.origin, ())) > 1:
                return Refusal(f"{role_mapping} stands for several identities in the root module {root or '.'}")
            if role_mapping.origin[0] != "account" and len(apart := self._known_as(role_mapping)) > 1:
                places = sorted({str(provider.place) for provider in apart.values()})
                return Refusal(
                    f"{role_mapping} stands for several identities: credentials differ at {' and '.join(places[:2])}"
                )
        return found[0].arn if found else None

    def _known_as(self, mapping: RoleMapping) -> dict[Identity, Provider]:
        """The identities that a mapping stands for in all root modules, as far as their credentials are known."""
        if mapping not in self._known_by:
            mappings = (*self._context.config.roles, mapping)
            alike = self._known_origins.get(mapping.origin, ())
            counting = (item for item in alike if mapping in matching(mappings, item[0].module.path, item[2]))
            self._known_by[mapping] = {known: provider for provider, known, _ in counting}
        return self._known_by[mapping]

    @cached_property
    def _known_origins(self) -> dict[Origin, list[tuple[Provider, Identity, frozenset[Origin]]]]:
        """The identities that are known, with all that each is known by, by every one of these origins."""
        found: dict[Origin, list[tuple[Provider, Identity, frozenset[Origin]]]] = {}
        for provider in self._context.facts.providers:
            for root, identity in self.instances(provider) or ():
                if known := self.values.known(root, identity):
                    origins = self._known_beside(provider, root, identity) | _profile(known)
                    for origin in origins:
                        found.setdefault(origin, []).append((provider, known, origins))
        return found

    def providers(self, root: str) -> Iterator[Provider]:
        """The providers of a root module, and of those that it calls, that are to sign in otherwise than now."""
        for path in (root, *sorted(self._context.workspace.reached_from(root))):
            module = self._context.workspace.modules.get(path)
            for provider in self._context.facts.in_module(module) if module is not None else ():
                is_passed_in = provider.is_proxy and path in self._context.workspace.calls
                is_signing = (
                    provider.is_lead
                    and not provider.has_web_identity
                    and provider.skip_reason is None
                    and not is_passed_in
                )
                if is_signing and provider.document.kind is not Kind.TEST:
                    yield provider

    def _claimed(self, root: str) -> dict[Origin, set[Identity]]:
        """The identities below a root module that are known by each origin that a role may be mapped by."""
        if root not in self._claims:
            claims = self._claims[root] = {}
            for provider in self.providers(root):
                for identity in (instance for path, instance in self.instances(provider) or () if path == root):
                    known = self._known_beside(provider, root, identity)
                    for _, case in [*self.values.cases(root, identity), (None, self.values.settled(root, identity))]:
                        known |= _profile(case)
                    for origin in known:
                        claims.setdefault(origin, set()).add(identity)
        return self._claims[root]

    def _known_beside(self, provider: Provider, root: str, identity: Identity) -> frozenset[Origin]:
        """What one identity of the provider is known by, but for its profile.

        What is said of the provider, or passed under a name of its module, is of no use where it is for several.
        """
        variables = {("var", term.name) for _, made in identity for term in made.symbols if term.op == "var"}
        here = {there for path, there in self.instances(provider) or () if path == root}
        if len(here) > 1 or is_varying(identity):
            return frozenset(variables)
        return frozenset(variables | {origin for origin in self.origins(provider).known_by if origin[0] != "profile"})

    def how_to_map(self, provider: Provider) -> str:
        """The option that names a role for the provider; ``""`` where nothing tells it from others."""
        order = ("profile", "alias", "var", "account")
        known = sorted(self.origins(provider).known_by, key=lambda item: (order.index(item[0]), item[1]))
        roots = {root for root, _ in self.instances(provider) or ()}
        clear = [item for item in known if all(len(self._claimed(root).get(item, ())) < 2 for root in roots)]
        clear = [item for item in clear if item[0] == "account" or len(self._known_as(RoleMapping(item, ""))) < 2]
        return f"--role {':'.join(clear[0])}=ARN" if clear else ""

    def account_notes(self, provider: Provider, role: str) -> Iterator[Note]:
        """That the provider's own lists of accounts do not admit the account of ``role``, if so."""
        if any(item.assumed_roles for item in provider.family):
            return
        account, origins = account_of(role), self.origins(provider)
        allowed, forbidden = origins.listed("allowed_account_ids"), origins.listed("forbidden_account_ids")
        if (allowed and account not in allowed) or account in forbidden:
            lists = "forbidden_account_ids" if account in forbidden else "allowed_account_ids"
            yield Note(
                f"see whether {lists} is right, which does not admit the account of the role, at",
                (str(provider.place),),
            )


def _profile(identity: Identity) -> frozenset[Origin]:
    """The profile of an identity, if it is known."""
    name = dict(identity).get("profile")
    return frozenset({("profile", name.string)}) if name is not None and name.string else frozenset()
