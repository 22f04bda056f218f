"""Spacelift's GraphQL interface on loopback: generated accounts behind the schema that public clients show.

A test can take fields from the schema, forbid introspection, break fields of single nodes, and queue answers that come
before the usual ones.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync

from tests.remotes.git_server import serving

SCHEMA = Path(__file__).with_name("spacelift_schema.graphql").read_text()
KEY_ID, KEY_SECRET = "01EXAMPLEKEYID", "example-secret-of-an-api-key-0123456789"
VALUES = ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a-plain-but-secret-value")
PASSWORD = "correct-horse-battery-staple-9"


def token_for(url: str, number: int = 1) -> str:
    """A token as Spacelift's are: a JWT that names the account as its audience."""
    parts = ({"alg": "none"}, {"aud": [url], "jti": number})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "c2ln"]
    )


def element(name: str, value: str, *, is_file: bool = False) -> dict[str, Any]:
    return {
        "id": name,
        "type": "FILE_MOUNT" if is_file else "ENVIRONMENT_VARIABLE",
        "value": value,
        "writeOnly": value in VALUES,
        "runtime": False,
        "checksum": hashlib.sha256(value.encode()).hexdigest(),
    }


def stack(slug: str, **more: Any) -> dict[str, Any]:
    lists = {name: [] for name in ("beforeInit", "beforePlan", "beforeApply", "beforePerform", "beforeDestroy")}
    return {
        "id": slug,
        "name": slug,
        "repository": "webshop",
        "namespace": "acme",
        "provider": "GITHUB",
        "branch": "main",
        "projectRoot": slug,
        "additionalProjectGlobs": [],
        "space": "root",
        "labels": [],
        "autodeploy": False,
        "administrative": False,
        "isDisabled": False,
        "managesStateFile": False,
        "terraformVersion": "1.5.7",
        "localPreviewEnabled": True,
        "vendorConfig": {
            "__typename": "StackConfigVendorTerraform",
            "version": "1.5.7",
            "workspace": None,
            "workflowTool": "TERRAFORM_FOSS",
        },
        "integrations": {"aws": {"assumedRoleArn": None}},
        "attachedAwsIntegrations": [],
        "attachedContexts": [],
        "attachedPolicies": [],
        "config": [],
        **lists,
        **more,
    }


def context(slug: str, **more: Any) -> dict[str, Any]:
    hooks = {name: [] for name in ("beforeInit", "beforePlan", "beforeApply", "beforePerform", "beforeDestroy")}
    known = {"id": slug, "name": slug, "space": "root", "labels": [], "config": [], "attachedStacks": []}
    return {**known, "hooks": hooks, **more}


def space(slug: str, parent: str | None = "root", *, inherits: bool = True) -> dict[str, Any]:
    return {"id": slug, "name": slug, "parentSpace": parent, "inheritEntities": inherits}


@dataclass
class Account:
    """What the server holds, what it was asked, and what it will answer next whatever it is asked."""

    stacks: list[dict[str, Any]] = field(default_factory=list)
    contexts: list[dict[str, Any]] = field(default_factory=list)
    integrations: list[dict[str, Any]] = field(default_factory=list)
    spaces: list[dict[str, Any]] = field(default_factory=lambda: [space("root", None)])
    modules: list[dict[str, Any]] = field(default_factory=list)
    lacking: tuple[str, ...] = ()
    """What to take from the schema, as it is written there: ``workerPool: WorkerPool``."""
    is_open: bool = True
    """Whether introspection is allowed."""
    delay: float = 0.0
    lifetime: float = 3600.0
    is_signed_out: bool = False
    queue: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    tokens: list[str] = field(default_factory=list)

    def answer(self, authorization: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        self.requests.append(body)
        time.sleep(self.delay)
        if self.queue:
            return self.queue.pop(0)
        is_exchange = "apiKeyUser" in body["query"]
        if not is_exchange and (self.is_signed_out or authorization.removeprefix("Bearer ") not in self.tokens[-1:]):
            return 401, {}, b'{"errors": [{"message": "unauthorized"}]}'
        if not self.is_open and "__schema" in body["query"]:
            return 200, {}, b'{"errors": [{"message": "introspection is disabled"}]}'
        schema = _schema(self.lacking)
        found = graphql_sync(schema, body["query"], self._root(), variable_values=body.get("variables"))
        return 200, {}, json.dumps(found.formatted).encode()

    def _root(self) -> dict[str, Any]:
        return {
            "searchStacks": lambda _, **given: _page(self.stacks, given["input"]),
            "searchModules": lambda _, **given: _page(self.modules, given["input"]),
            "contexts": self.contexts,
            "awsIntegrations": self.integrations,
            "spaces": self.spaces,
            "apiKeyUser": self._exchange,
        }

    def _exchange(self, _: Any, id: str, secret: str) -> dict[str, Any] | None:  # noqa: A002
        if (id, secret) != (KEY_ID, KEY_SECRET):
            raise GraphQLError(f"unauthorized: {secret}")
        self.tokens.append(token_for(self.url, len(self.tokens) + 1))
        return {"jwt": self.tokens[-1], "validUntil": int(time.time() + self.lifetime)}


@cache
def _schema(lacking: tuple[str, ...]) -> Any:
    text = SCHEMA
    for part in lacking:
        assert part in text, part
        text = text.replace(part, "")
    return build_schema(text)


def _page(nodes: list[dict[str, Any]], wanted: dict[str, Any]) -> dict[str, Any]:
    start = int(wanted.get("after") or 0)
    end = start + wanted["first"]
    edges = [{"node": node} for node in nodes[start:end]]
    return {"edges": edges, "pageInfo": {"endCursor": str(end), "hasNextPage": end < len(nodes)}}


def broken(message: str) -> Any:
    """The value of a field that cannot be read."""

    def fail(_: Any) -> None:
        raise GraphQLError(message)

    return fail


@contextmanager
def running(account: Account) -> Iterator[Account]:
    """Serve the account; its first token is for those who have ``SPACELIFT_API_TOKEN``."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers, answer = account.answer(self.headers.get("Authorization", ""), body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(answer))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        account.url = url
        account.tokens.append(token_for(url))
        yield account
