"""What signs in by a hook: with which role, and in which region where that is not of AWS's commercial partition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.model.partitions import region_to_name
from migrator.terraform.expressions.defaults import resolve

if TYPE_CHECKING:
    from migrator.decide.facts import Facts
    from migrator.decide.roots import Root, Runners
    from migrator.model.engine import Engine
    from migrator.model.findings import Place, Refusal
    from migrator.terraform.backends import S3Backend
    from migrator.terraform.providers import Provider


class Target(Struct, frozen=True, eq=False):
    """What is being migrated and signs in by a hook: a root module, or a CDKTF program; its backend is at ``place``.

    ``role`` is the hook's. The parts of a ``group`` are changed together: `Finding.group`. ``engine`` is that of
    `KnownRoot`, and so are ``is_native`` and ``region``.
    """

    path: str
    place: Place
    group: str
    role: str | Refusal
    runners: Runners
    engine: Engine | None = None
    is_native: bool = False
    region: str = ""

    @property
    def title(self) -> str:
        """What it is called among those of its repository."""
        return self.path or "."


def in_regions(facts: Facts, targets: Iterable[Target]) -> tuple[Target, ...]:
    """The ``targets``, each with the region that its hook must name."""
    known = dict(_regions(facts))
    return tuple(
        replace(target, region=region_to_name(target.role, known.get(target.path, "")))
        if isinstance(target.role, str)
        else target
        for target in targets
    )


def _regions(facts: Facts) -> Iterator[tuple[str, str]]:
    """The region of each state's bucket, or else of the provider beside it, by the path of what reads the state."""
    for unit in facts.terragrunt.units:
        for state in unit.states:
            value = state.item_value("region")
            if value is not None and value.string is not None:
                yield unit.folder, value.string
    for program, _ in facts.programs:
        for call in program.backends:
            item = call.call.keyword("region")
            if item is not None and (region := call.program.string(item)) is not None:
                yield program.folder, region
    for root in facts.roots:
        if region := region_of(root):
            yield root.module.path, region


def region_of(root: Root) -> str:
    """The region of a root module's state, or else of its provider; ``""`` if it is not known."""
    providers = (provider for provider in root.providers if provider.alias is None)
    blocks: list[S3Backend | Provider] = [*reversed(root.backends), *providers]
    said = ((block.document, block.block.attribute("region")) for block in blocks)
    known = (resolve(root.module, document.expression(region)) for document, region in said if region is not None)
    return next(filter(None, known), "")
