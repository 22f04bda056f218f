"""Whether the modules of a repository still fit together after a run, as tree-sitter-hcl reads them.

What must hold of each module: no expression refers to a variable, local, data source or output that was declared before
and is not any more; no call gives it a value that it took before and takes no more; no required variable has lost the
value that a call or a file gave it; and no command line sets a variable that it declared before and does not now.
Modules with files in JSON are left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

PARSER = Parser(Language(tree_sitter_hcl.language()))
ON_COMMAND_LINE = re.compile(rb"(?<![\w-])--?var[= ][\"']?([\w-]+)=")


@dataclass
class Interface:
    """What a module declares, needs, refers to, and gives to the modules that it calls."""

    declared: set[str] = field(default_factory=set)
    required: set[str] = field(default_factory=set)
    references: set[tuple[str, str]] = field(default_factory=set)
    calls: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)


def misfits(before: dict[str, bytes], after: dict[str, bytes], scripts: dict[str, bytes]) -> Iterator[str]:
    """Every way in which the modules ``after`` fit together worse than ``before``; files by path."""
    old, new = interfaces(before), interfaces(after)
    given = {name.decode() for data in scripts.values() for name in ON_COMMAND_LINE.findall(data)}
    for path, module in new.items():
        was = old.get(path, Interface())
        gone = was.declared - module.declared
        for address, place in sorted(module.references):
            if address in gone:
                yield f"{place}: {address} is referred to, and not declared any more"
        yield from (
            f"{path}: a command line sets {variable}" for variable in gone if variable.removeprefix("var.") in given
        )
        for label, (called, arguments) in module.calls.items():
            yield from _misfit_call(f"{path}: module {label}", was.calls.get(label), arguments, old, new, called)
        for file, names in was.values.items():
            lost = names - module.values.get(file, set())
            yield from (
                f"{file}: {variable} lost its value, and needs one" for variable in sorted(lost & module.required)
            )
    for path in old.keys() - new.keys():
        yield f"{path}: all of the module is gone"


def _misfit_call(
    title: str,
    was: tuple[str, set[str]] | None,
    arguments: set[str],
    old: dict[str, Interface],
    new: dict[str, Interface],
    called: str,
) -> Iterator[str]:
    if called not in new:
        return
    declared_before, declared = old.get(called, Interface()).declared, new[called].declared
    for name in sorted(arguments):
        if f"var.{name}" in declared_before - declared:
            yield f"{title}: gives {name}, which is not declared any more"
        if was and name not in was[1] and f"var.{name}" not in declared:
            yield f"{title}: gives {name}, which is not declared"
    for name in sorted(new[called].required - arguments):
        if was is None or name in was[1] or name not in old.get(called, Interface()).required:
            yield f"{title}: does not give {name}, which is required"


def interfaces(files: dict[str, bytes]) -> dict[str, Interface]:
    """The modules among the files, by folder."""
    found: dict[str, Interface] = {}
    in_json = {posixpath.dirname(path) for path in files if path.endswith((".tf.json", ".tofu.json"))}
    for path, data in files.items():
        folder = posixpath.dirname(path)
        if path.endswith((".tf", ".tofu")) and folder not in in_json:
            _read(path, data, folder, found.setdefault(folder, Interface()))
    for module in found.values():
        for label, (_, arguments) in module.calls.items():
            module.declared.update(f"module.{label}.{output}" for output in _outputs(module, label, found))
            arguments -= {"source", "version", "count", "for_each", "providers", "depends_on"}
    for path, data in files.items():
        folder = posixpath.dirname(path)
        if path.endswith(".tfvars") and folder in found:
            found[folder].values[path] = attributes(body_of(PARSER.parse(_plain(data)).root_node))
    return found


def _outputs(module: Interface, label: str, found: dict[str, Interface]) -> set[str]:
    called = found.get(module.calls[label][0], Interface())
    return {name.removeprefix("output.") for name in called.declared if name.startswith("output.")}


def _read(path: str, data: bytes, folder: str, module: Interface) -> None:
    root = PARSER.parse(_plain(data)).root_node
    for block in blocks(root):
        parts = header(block)
        names = attributes(body_of(block))
        if parts[0] == "variable" and len(parts) > 1:
            module.declared.add(f"var.{parts[1]}")
            if "default" not in names and "override" not in path:
                module.required.add(parts[1])
        elif parts[0] == "output" and len(parts) > 1:
            module.declared.add(f"output.{parts[1]}")
        elif parts[0] == "locals":
            module.declared |= {f"local.{name}" for name in names}
        elif parts[0] == "data" and len(parts) > 2:
            module.declared.add(f"data.{parts[1]}.{parts[2]}")
        elif parts[0] == "module" and len(parts) > 1:
            source = _source(block)
            called = str(PurePosixPath(posixpath.normpath(posixpath.join(folder, source)))) if source else ""
            known, given = module.calls.get(parts[1], ("", set()))
            module.calls[parts[1]] = ("" if called == "." else called or known, names | given)
    module.references |= {(address, f"{path}:{line}") for address, line in references(root)}


def references(root: Node) -> Iterator[tuple[str, int]]:
    """Every reference below ``root`` to what a module declares, with its line."""
    pending = [root]
    while pending:
        node = pending.pop()
        pending += node.children
        if node.type == "variable_expr":
            name = _text(node)
            steps = []
            following = node.next_sibling
            while following is not None and following.type in ("get_attr", "index"):
                if following.type == "get_attr":
                    steps.append(_text(following).lstrip("."))
                following = following.next_sibling
            length = {"var": 1, "local": 1, "data": 2, "module": 2}.get(name, 0)
            if length and len(steps) >= length:
                yield ".".join([name, *steps[:length]]), node.start_point.row + 1


def _source(block: Node) -> str | None:
    match = re.search(r'(?m)^\s*source\s*=\s*"(\.\.?/[^"]*)"', _text(block))
    return match[1] if match else None


def blocks(node: Node) -> list[Node]:
    """The blocks in a file or block."""
    body = body_of(node)
    return [] if body is None else [child for child in body.children if child.type == "block"]


def body_of(node: Node) -> Node | None:
    """The body of a file or block; None if it is empty."""
    return next((child for child in node.children if child.type == "body"), None)


def header(block: Node) -> list[str]:
    """The type and the labels of a block."""
    return [_text(child).strip('"') for child in block.children if child.type in ("identifier", "string_lit")]


def attributes(body: Node | None) -> set[str]:
    """The names of the arguments in a body."""
    found = [] if body is None else [child for child in body.children if child.type == "attribute"]
    return {_text(reference.children[0]) for reference in found}


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")


def _plain(data: bytes) -> bytes:
    return data.removeprefix(b"\xef\xbb\xbf")
