"""Results for the tests of reports: some with every outcome, some hostile, and as many as wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from migrator.migrate.diagnostics import DEPENDS_ON_REFUSED
from migrator.model.findings import FileProblem, Finding, Fix, Ignored, LeftAlone, Note, Place, Refusal, Rewrite
from migrator.model.notes import ROTATE
from migrator.model.results import Mode, RepoResult, Revision, SigningRow, StackRow, TrustRow
from migrator.terraform.identity_diagnostics import ENVIRONMENT_CREDENTIALS
from migrator.workspace.diagnostics import IGNORED_BY_COMMENT

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
KEYS = (KEY_ID, SECRET)

HOOK = 'export $(printf "AWS_ACCESS_KEY_ID=%s" $(aws sts assume-role-with-web-identity))'

HOSTILE = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=1>',
    "</script><script>window.hit=1</script>",
    "</style></details><svg onload=window.hit=1>",
    "[click](javascript:window.hit=1) <javascript:window.hit=1>",
    "a | b \\| c `d` ``e`` @someone #1 me@example.com https://evil.example www.evil.example ![x](https://evil.example/x)",
    "{{ 7 * 7 }}{% raw %}{0}",
    "]]>&lt;&#x1b; \x1b]0;title\x07\x1b[2J\x00\x85\u2028\u202e\ufffe\ud800x",
    "line one\nline two\r\n| cell | cell |",
    f"{KEY_ID} and {SECRET}",
)
"""Texts that do harm where they are not treated as text."""


@dataclass(frozen=True)
class Some(Iterable[RepoResult]):
    """Results that are made anew each time they are gone through, as if read from a file."""

    make: Callable[[], Iterator[RepoResult]]

    def __iter__(self) -> Iterator[RepoResult]:
        return self.make()


def finding(fix: Fix, line: int = 3, **others: object) -> Finding:
    return replace(
        Finding("provider-static-keys", Place("live/main.tf", line), 'provider "aws": access_key', fix), **others
    )


REWRITE = Rewrite((), "web identity with var.aws_role_arn")
DIFF = b"""diff --git a/live/main.tf b/live/main.tf
--- a/live/main.tf
+++ b/live/main.tf
@@ -1,5 +1,7 @@
 provider "aws" {
-  access_key = "********" # the CI user's
-- looks like a head
   region = "eu-west-1"
+  assume_role_with_web_identity {
+    role_arn = var.aws_role_arn
+++ looks like a head
+  }
 }
"""


def migrated(repo: str = "shop") -> RepoResult:
    return RepoResult(
        repo,
        Mode.PREVIEW,
        findings=(
            finding(REWRITE),
            finding(REWRITE, 30),
            finding(ENVIRONMENT_CREDENTIALS.left_alone(), 9),
            finding(IGNORED_BY_COMMENT.ignored(), 12),
        ),
        notes=(
            ROTATE.note("live/main.tf:4", "live/main.tf:31"),
            Note(task="add to the stack's before_init", subjects=("live",), paste=HOOK, code="odd"),
        ),
        stacks=(
            StackRow("spacelift_stack.shop", Place("stacks.tf", 8), "", "live", "added", ("for_each: one for each",)),
            StackRow("spacelift_stack.other", Place("main.tf", 2), "infra/stacks"),
        ),
        signers=(
            SigningRow(
                "live",
                'provider "aws"',
                "static key AKIA…MPLE",
                "web identity var.aws_role_arn",
                "var.aws_role_arn",
                True,
            ),
            SigningRow(
                "live", 'backend "s3"', "profile state", "web identity $TF_VAR_aws_role_arn, by the hook", "", True
            ),
            SigningRow("live", 'provider "aws" (eu)', "the environment", "the environment", "", True),
        ),
        changed=("live/main.tf",),
        diff=DIFF,
        is_masked=True,
    )


def partly(repo: str = "payments") -> RepoResult:
    old = DEPENDS_ON_REFUSED.refusal(place="live/main.tf:3")
    return replace(migrated(repo), findings=(finding(REWRITE), finding(old, 5), finding(old, 7)))


def refused(repo: str = "legacy") -> RepoResult:
    problem = FileProblem(Place("broken.tf", 14), "a block is not closed", code="odd")
    return RepoResult(
        repo, Mode.PREVIEW, findings=(finding(Refusal("the AWS provider is too old", code="odd")),), problems=(problem,)
    )


def failed(repo: str = "gone") -> RepoResult:
    return RepoResult(repo, Mode.PREVIEW, error="not a git repository")


def nothing(repo: str = "docs") -> RepoResult:
    return RepoResult(repo, Mode.PREVIEW)


KINDS = (migrated, partly, refused, failed, nothing)


def sample() -> list[RepoResult]:
    """A repository for each outcome."""
    return [make() for make in KINDS]


def many(count: int) -> Some:
    """``count`` results; each is made when its turn comes."""

    def make() -> Iterator[RepoResult]:
        for number in range(count):
            yield KINDS[number % len(KINDS)](f"team-{number % 40}/service-{number}")

    return Some(make)


def hostile() -> list[RepoResult]:
    """A repository for each hostile text, which stands everywhere in it; and one with the keys everywhere."""
    return [_all_of(text) for text in HOSTILE]


def _all_of(text: str) -> RepoResult:
    place = Place(text, 3)
    fixes = (Rewrite((), text), *(kind(text, code="odd", help=text) for kind in (Refusal, LeftAlone, Ignored)))
    note = Note(task=text, subjects=(text,), paste=text, code="odd", help=text)
    line = text.replace("\n", " ").encode("utf-8", "surrogatepass")
    return RepoResult(
        text,
        Mode.PREVIEW,
        findings=tuple(Finding(text, place, text, fix, text, (note,)) for fix in fixes),
        problems=(FileProblem(place, text, code="odd"),),
        notes=(note, ROTATE.note(text)),
        stacks=(StackRow(text, place, "", text, text, (text,)), StackRow(text, place, text)),
        signers=(SigningRow(text, text, text, text),),
        trusts=(TrustRow(text, (text,)),),
        mapped=(text,),
        changed=(text,),
        diff=b"diff --git a/x b/x\n--- a/x\n+++ b/"
        + line
        + b"\n@@ -1,2 +1,2 @@ "
        + line
        + b"\n-"
        + line
        + b"\n+"
        + line
        + b"\n "
        + line
        + b"\n"
        + line
        + b"\n",
        branch=text,
        pull_request=text,
        commit=text,
        revision=Revision(text, text, text, text),
    )
