"""A stand-in for Spacelift's Terraform provider: the arguments that its documentation lists, and nothing behind them.

https://search.opentofu.org/provider/spacelift-io/spacelift/latest/docs. Terraform itself checks a configuration against
it; the real provider is in no registry that tests reach.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_HOOKS = [
    f"{when}_{phase}" for when in ("before", "after") for phase in ("init", "plan", "apply", "perform", "destroy")
]
_PLACES = {"context_id": "optional", "stack_id": "optional", "module_id": "optional"}
TYPES: dict[str, dict[str, tuple[str, str]]] = {
    "spacelift_context": {
        "name": ("String", "required"),
        "description": ("String", "optional"),
        "space_id": ("String", "computed"),
        "labels": ("Set", "optional"),
        **dict.fromkeys(_HOOKS, ("List", "optional")),
    },
    "spacelift_context_attachment": {
        "context_id": ("String", "required"),
        "stack_id": ("String", "optional"),
        "module_id": ("String", "optional"),
        "priority": ("Number", "optional"),
    },
    "spacelift_environment_variable": {
        **{name: ("String", how) for name, how in _PLACES.items()},
        "name": ("String", "required"),
        "value": ("String", "optional"),
        "write_only": ("Bool", "optional"),
        "description": ("String", "optional"),
    },
    "spacelift_mounted_file": {
        **{name: ("String", how) for name, how in _PLACES.items()},
        "relative_path": ("String", "required"),
        "content": ("String", "optional"),
        "write_only": ("Bool", "optional"),
        "description": ("String", "optional"),
    },
}


def configuration(folder: Path) -> Path:
    """A CLI configuration with which terraform takes this provider; made in ``folder``."""
    program = folder / "terraform-provider-spacelift"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).resolve()} "$@"\n')
    program.chmod(0o755)
    file = folder / "terraform.rc"
    file.write_text(
        f'provider_installation {{\n  dev_overrides {{ "spacelift-io/spacelift" = "{folder}" }}\n  direct {{}}\n}}\n'
    )
    return file


def _resource(name: str, arguments: dict[str, tuple[str, str]]) -> type[Any]:
    from tf import schema, types
    from tf.iface import Resource

    kinds = {"List": types.List(types.String()), "Set": types.Set(types.String())}
    known = {kind: getattr(types, kind)() for kind in ("String", "Number", "Bool")} | kinds
    attributes = [
        schema.Attribute(
            argument, known[kind], required=how == "required", optional=how != "required", computed=how == "computed"
        )
        for argument, (kind, how) in arguments.items()
    ]
    attributes.append(schema.Attribute("id", types.String(), computed=True))

    class Made(Resource):
        def __init__(self, provider: Any) -> None:
            pass

        @classmethod
        def get_name(cls) -> str:
            return name.removeprefix("spacelift_")

        @classmethod
        def get_schema(cls) -> Any:
            return schema.Schema(version=1, attributes=attributes)

        def create(self, ctx: Any, planned: Any) -> Any:
            return {**planned, "id": "made", **({"space_id": "root"} if "space_id" in planned else {})}

        def read(self, ctx: Any, current: Any) -> Any:
            return current

        def update(self, ctx: Any, current: Any, planned: Any) -> Any:
            return planned

        def delete(self, ctx: Any, current: Any) -> None:
            pass

        def import_(self, ctx: Any, id: str) -> Any:  # noqa: A002  the library's name
            kind, holder, named = id.split("/", 2)
            place = "relative_path" if "relative_path" in arguments else "name"
            return {**dict.fromkeys(arguments), "id": id, f"{kind}_id": holder, place: named}

    return Made


def main() -> None:
    from tf import runner, schema
    from tf.iface import Provider

    resources = [_resource(name, arguments) for name, arguments in TYPES.items()]

    class Spacelift(Provider):
        def get_model_prefix(self) -> str:
            return "spacelift_"

        def get_provider_schema(self, diags: Any) -> Any:
            return schema.Schema(version=1, attributes=[])

        def full_name(self) -> str:
            return "registry.terraform.io/spacelift-io/spacelift"

        def validate_config(self, diags: Any, config: Any) -> None:
            pass

        def configure_provider(self, diags: Any, config: Any) -> None:
            pass

        def get_data_sources(self) -> list[Any]:
            return []

        def get_resources(self) -> list[Any]:
            return resources

    runner.run_provider(Spacelift())


if __name__ == "__main__":
    main()
