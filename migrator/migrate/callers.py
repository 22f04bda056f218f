"""Calls of modules between the repositories of a run: module and callers change together, or nothing changes."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from migrator.model.fleet import Fleet, KnownCall, KnownModule, RoleUser, Survey
from migrator.model.fleet_parts import other_users

if TYPE_CHECKING:
    from migrator.model.module_source import ModuleSource

_MOST = 20
_UNSETTLED = "The values that callers in other repositories must pass could not be settled."
_Key = tuple[str, str]

Again = Callable[[Mapping[str, Fleet]], Mapping[str, Survey]]
"""A function that surveys repositories again, by name, each with new facts about the others."""


def settle_calls(surveys: Mapping[str, Survey], survey_again: Again) -> dict[str, Survey]:
    """The surveys with the changes of called modules, with the calls that cannot follow, and without shared roles.

    A module with a call that cannot follow is not changed, and a refusal is final. New facts may change a repository's
    own modules, so the exchange is repeated along the calls until there are no new facts. Users of a role stay known.
    """
    current = dict(surveys)
    users: dict[str, tuple[RoleUser, ...]] = {}
    refused = {
        (module.repo, module.path): module
        for survey in current.values()
        for earlier in survey.received
        for module in earlier.modules
        if module.refusal
    }
    for attempt in range(_MOST):
        pairs = list(_calls_with_modules(current, refused))
        for call, module in pairs:
            reason = f"The call in {call.repo} at {call.place} cannot follow. {call.refusal}" if call.refusal else ""
            reason = _UNSETTLED if not reason and attempt == _MOST - 1 else reason
            if reason and not module.refusal and not call.is_pinned(module) and not call.is_unit:
                by = (call.repo, str(call.place)) if call.refusal else None
                refused.setdefault((module.repo, module.path), replace(module, refusal=reason, refused_by=by))
        facts = _facts_on_calls(pairs, refused)
        for name, survey in current.items():
            users[name] = tuple(dict.fromkeys((*users.get(name, ()), *survey.role_users)))
            current[name] = replace(survey, role_users=users[name])
        earlier = {
            name: (*facts.get(name, ()), *others)
            for name, others in zip(current, other_users(current.values()), strict=True)
        }
        stale = {name: earlier[name] for name, survey in current.items() if earlier[name] != survey.received}
        if not stale:
            break
        current |= {name: replace(current[name], received=callers) for name, callers in stale.items()}
        resurveyed = survey_again({name: Fleet(callers) for name, callers in stale.items()})
        for name, callers in stale.items():
            current[name] = replace(resurveyed.get(name) or _failed(current[name]), received=callers)
    return current


def _failed(survey: Survey) -> Survey:
    calls = tuple(replace(known_call, refusal="The repository cannot be read any more.") for known_call in survey.calls)
    return replace(survey, calls=calls)


def _calls_with_modules(
    surveys: Mapping[str, Survey], refused: Mapping[_Key, KnownModule]
) -> Iterator[tuple[KnownCall, KnownModule]]:
    """Every call with the called module, for all modules whose variables change, or would have changed."""
    changed = {(module.repo, module.path): module for survey in surveys.values() for module in survey.modules} | dict(
        refused
    )
    registered = [call for survey in surveys.values() for call in survey.registered] if changed else []
    calls: dict[str, list[KnownCall]] = {}
    for call in (call for survey in surveys.values() for call in survey.calls) if changed else ():
        calls.setdefault(call.source.name.lower() if call.source else call.folder, []).append(call)
    for known_module in changed.values():
        module = replace(known_module, addresses=tuple(_addresses(known_module, registered)))
        keys = dict.fromkeys((module.identity.name, module.folder, *(name for name, _ in module.addresses)))
        for call in (call for key in keys for call in (*calls.get(key.lower(), ()), *calls.get(key, ()))):
            if call.repo != module.repo and call.is_of(module):
                yield call, module


def _addresses(module: KnownModule, registered: Sequence[tuple[str, ModuleSource]]) -> Iterator[tuple[str, str]]:
    """The registry addresses of the module, each with the folder in the registry's module."""
    for name, source in registered:
        if source.is_in(module.identity.name, module.identity.namespace):
            folder = posixpath.relpath(module.path or ".", source.folder or ".")
            if not folder.startswith(".."):
                yield name, "" if folder == "." else folder


def _facts_on_calls(
    pairs: Iterable[tuple[KnownCall, KnownModule]], refused: Mapping[_Key, KnownModule]
) -> dict[str, tuple[Survey, ...]]:
    """The facts for each repository: the modules that it calls, and the calls of its modules."""
    modules: dict[str, dict[str, dict[str, KnownModule]]] = {}
    calls: dict[str, dict[str, dict[KnownCall, None]]] = {}
    for call, known_module in pairs:
        module = refused.get((known_module.repo, known_module.path), known_module)
        modules.setdefault(call.repo, {}).setdefault(module.repo, {})[module.path] = module
        source = replace(call.source, folder=module.path) if call.source else None
        settled_call = replace(call, refusal="" if call.is_pinned(module) else module.refusal, source=source)
        calls.setdefault(module.repo, {}).setdefault(call.repo, {})[settled_call] = None
    return {
        name: tuple(
            Survey(other, calls=tuple(calls.get(name, {}).get(other, ())), modules=tuple(theirs.values()))
            for other in sorted({*modules.get(name, {}), *calls.get(name, {})})
            for theirs in [modules.get(name, {}).get(other, {})]
        )
        for name in {*modules, *calls}
    }
