"""Which code a stack runs: the repository's owner may be a namespace, or be before the name."""

import pytest

from migrator.model.fleet import Code, RepoIdentity, code_of, runs

SHOP = RepoIdentity("shop", "acme/web")


@pytest.mark.parametrize(
    ("repository", "namespace", "expected"),
    [
        ("shop", "acme/web", Code("shop", "", "acme/web")),
        ("acme/web/shop", "", Code("shop", "", "acme/web")),
        ("web/shop", "acme", Code("shop", "", "acme/web")),
        ("acme/web/shop", None, Code("shop", "", None)),
        ("other/shop", "", Code("shop", "", "other")),
        (None, "", Code(None, "", "")),
    ],
)
def test_an_owner_before_the_name_is_the_namespace(
    repository: str | None, namespace: str | None, expected: Code
) -> None:
    code = code_of(repository, "", namespace, None)
    assert code == expected
    assert runs(code, SHOP, "") is (repository not in (None, "other/shop"))
