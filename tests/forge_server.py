"""GitHub's and GitLab's APIs on loopback, as far as pull requests go and as their documentation says.

https://docs.github.com/rest and https://docs.gitlab.com/api/rest. A test can queue answers
that come before the usual ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from tests.remotes.git_server import serving

TOKEN = "ghp_EXAMPLEexampleEXAMPLEexampleEXAMPLE0"
Json = Any
Fields = dict[str, str]


@dataclass
class Answer:
    status: int
    body: Json = None
    headers: Fields = field(default_factory=dict)


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    body: Json


@dataclass
class Server:
    """What the server holds, what it was asked, and what it will answer next whatever it is asked."""

    url: str = ""
    page_size: int = 2
    repositories: list[Json] = field(default_factory=list)
    pulls: list[Json] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    queue: list[Answer] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        raise NotImplementedError

    def page(self, request: Request, items: list[Json]) -> Answer:
        """One page of ``items``, with a Link header to the next; pages are smaller than asked for."""
        number = int(request.query.get("page", ["1"])[0])
        end = number * self.page_size
        headers = {}
        if end < len(items):
            query = urlencode(request.query | {"page": [number + 1]}, doseq=True)
            headers["Link"] = f'<{self.url}{request.path}?{query}>; rel="next"'
        return Answer(200, items[end - self.page_size : end], headers)

    def of_kind(self, method: str) -> list[Request]:
        return [request for request in self.requests if request.method == method]


class GitHubServer(Server):
    """https://docs.github.com/rest/pulls/pulls, .../repos/repos#list-organization-repositories, .../issues/labels."""

    def add_repository(self, name: str, **more: Json) -> None:
        self.repositories.append(
            {
                "name": name,
                "full_name": f"acme/{name}",
                "url": f"{self.url}/api/v3/repos/acme/{name}",
                "clone_url": f"https://git.example.com/acme/{name}.git",
                "default_branch": "main",
                "topics": [],
                "archived": False,
                "fork": False,
            }
            | more
        )

    def add_pull(self, head: str, state: str = "open", merged_at: str | None = None) -> Json:
        number = len(self.pulls) + 1
        pull = {
            "url": f"{self.url}/api/v3/repos/acme/shop/pulls/{number}",
            "issue_url": f"{self.url}/api/v3/repos/acme/shop/issues/{number}",
            "html_url": f"{self.url}/acme/shop/pull/{number}",
            "number": number,
            "state": state,
            "merged_at": merged_at,
            "head": {"label": f"acme:{head}", "ref": head},
        }
        self.pulls.insert(0, pull)
        return pull

    def answer(self, request: Request) -> Answer:
        path = request.path.removeprefix("/api/v3")
        if path == "/orgs/acme/repos":
            return self.page(request, self.repositories)
        if path == "/repos/acme/shop/pulls":
            return self._open(request.body) if request.method == "POST" else self._listed(request)
        if re.fullmatch(r"/repos/acme/shop/issues/\d+/labels", path):
            self.labels += request.body
            return Answer(200, [{"name": name} for name in request.body])
        if re.fullmatch(r"/repos/acme/shop/pulls/\d+/requested_reviewers", path):
            if "stranger" in request.body["reviewers"]:
                return Answer(422, {"message": "Reviews may only be requested from collaborators."})
            return Answer(201, self.pulls[0])
        return Answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"})

    def _listed(self, request: Request) -> Answer:
        head = request.query.get("head", [""])[0]
        return self.page(request, [pull for pull in self.pulls if pull["head"]["label"] == head])

    def _open(self, body: Json) -> Answer:
        if any(pull["head"]["ref"] == body["head"] and pull["state"] == "open" for pull in self.pulls):
            said = f"A pull request already exists for acme:{body['head']}."
        elif body["head"] == body["base"]:
            said = f"No commits between {body['base']} and {body['head']}"
        else:
            return Answer(201, self.add_pull(body["head"]))
        error = {"resource": "PullRequest", "code": "custom", "message": said}
        return Answer(422, {"message": "Validation Failed", "errors": [error]})


class GitLabServer(Server):
    """https://docs.gitlab.com/api/merge_requests, .../groups#list-projects, .../users."""

    def add_repository(self, path: str, **more: Json) -> None:
        self.repositories.append(
            {
                "id": len(self.repositories) + 1,
                "path_with_namespace": path,
                "http_url_to_repo": f"https://git.example.com/{path}.git",
                "default_branch": "main",
                "topics": [],
                "archived": False,
            }
            | more
        )

    def add_pull(self, head: str, state: str = "opened") -> Json:
        number = len(self.pulls) + 1
        url = f"{self.url}/acme/shop/-/merge_requests/{number}"
        pull = {"id": 100 + number, "iid": number, "web_url": url, "state": state, "source_branch": head}
        self.pulls.insert(0, pull)
        return pull

    def answer(self, request: Request) -> Answer:
        path = unquote(request.path.removeprefix("/api/v4"))
        if path in ("/groups/acme/projects", "/groups/acme/infra/projects"):
            group = path.removeprefix("/groups/").removesuffix("/projects")
            below = [entry for entry in self.repositories if entry["path_with_namespace"].startswith(f"{group}/")]
            if request.query.get("include_subgroups") != ["True"]:
                below = [entry for entry in below if entry["path_with_namespace"].rpartition("/")[0] == group]
            return self.page(request, below)
        if path == "/projects/acme/shop/merge_requests":
            return self._open(request.body) if request.method == "POST" else self._listed(request)
        if path == "/users":
            name = request.query["username"][0]
            return Answer(200, [] if name == "stranger" else [{"id": 7, "username": name}])
        return Answer(404, {"message": "404 Project Not Found"})

    def _listed(self, request: Request) -> Answer:
        head = request.query.get("source_branch", [""])[0]
        return self.page(request, [pull for pull in self.pulls if pull["source_branch"] == head])

    def _open(self, body: Json) -> Answer:
        for pull in self.pulls:
            if pull["source_branch"] == body["source_branch"] and pull["state"] == "opened":
                said = f"Another open merge request already exists for this source branch: !{pull['iid']}"
                return Answer(409, {"message": [said]})
        return Answer(201, self.add_pull(body["source_branch"]))


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """``server`` on a free port of loopback; it takes no other token than `TOKEN`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            request = Request(self.command, parts.path, parse_qs(parts.query), body)
            server.requests.append(request)
            if self.headers.get("Authorization", "").split(" ")[-1] != TOKEN:
                answer = Answer(401, {"message": "Bad credentials"})
            elif server.queue:
                answer = server.queue.pop(0)
            else:
                answer = server.answer(request)
            data = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in {**answer.headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as url:
        server.url = url
        yield server
