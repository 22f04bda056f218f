"""Messages about files as a whole: those that cannot be read or changed, and those that the user excludes."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

UNREADABLE_FILE = Diagnostic(
    "unreadable-file",
    found="The file cannot be read: {reason}.",
    why="Nothing in the file was checked or changed.",
    help="Make the file readable for this user, or leave the file out with `--exclude`.",
)
SYNTAX_ERROR = Diagnostic(
    "syntax-error",
    found="The file cannot be parsed: {reason}.",
    why="Nothing in the file was checked or changed.",
    help="Correct the file at this line, or leave the file out with `--exclude`.",
    page="""tf-oidc-migrate changes a file only if the whole file can be parsed before and after the change. The line is
where the parser stopped, so the mistake may also stand a few lines above.

Run `terraform fmt -check FILE` to see what Terraform says about the same file. If the file is a template and no
Terraform at all, exclude it: `--exclude 'templates/**'`.""",
)
IGNORED_BY_COMMENT = Diagnostic(
    "ignored-by-comment",
    found="A `tf-oidc-migrate:ignore` comment covers this place.",
    why="Nothing was changed here.",
    help="Remove the comment to have this place migrated.",
)
BACKEND_IGNORED_BY_COMMENT = Diagnostic(
    "backend-ignored-by-comment",
    found="A `tf-oidc-migrate:ignore` comment covers the backend that this file configures.",
    why="Nothing was changed here.",
    help="Remove the comment at the backend to have this file migrated.",
)
EXCLUDED = Diagnostic(
    "excluded",
    found="The file is excluded by `--exclude` or by the settings file.",
    why="Nothing was changed here.",
    help="Remove the pattern to have this file migrated.",
)
GENERATED_FILE = Diagnostic(
    "generated-file",
    found="{by} writes this file.",
    why="The next run of that program would overwrite a change.",
    help="{remedy}",
    page="""The head of the file says that a program writes the file. A change here would be lost the next time the
program runs, so the change belongs where the file comes from.

Change the template or the configuration, and have the program write the file again. If the comment at the head is out
of date and people edit the file, remove the comment and run tf-oidc-migrate again.""",
)
NEEDS_GENERATED_FILE = Diagnostic(
    "needs-generated-file",
    found="The migration needs a change in {path}, and {by} writes that file.",
    why="The next run of that program would overwrite the change, so nothing was changed here.",
    help="{remedy}",
)
OUTSIDE_FOLDER = Diagnostic(
    "outside-folder",
    found="The migration needs a change in {path}, which is outside of the folder of this run.",
    why="Nothing was changed here.",
    help="Run on a folder that holds both files, for example the root of the repository.",
)
NEEDS_EXCLUDED_FILE = Diagnostic(
    "needs-excluded-file",
    found="The migration needs a change in {path}, which `--exclude` or the settings file excludes.",
    why="Nothing was changed here.",
    help="Do not exclude that file, or exclude this one as well.",
)
NEEDS_IGNORED_BLOCK = Diagnostic(
    "needs-ignored-block",
    found="The migration needs a change at {place}, which a `tf-oidc-migrate:ignore` comment covers.",
    why="Nothing was changed here.",
    help="Remove the comment at {place}, or put one here as well.",
)
WRITTEN_ELSEWHERE = Diagnostic(
    "written-into-other-folders",
    found="The Terragrunt configuration {config} also writes {file} into other folders.",
    why="A change could break the copies in the other folders, so nothing was changed here.",
    help="Migrate {file} by hand.",
)
UNUSABLE_FILE = Diagnostic(
    "needs-unusable-file",
    found="The migration needs to declare a variable in {path}, and that file cannot be changed.",
    why="The file is ignored by git, unreadable, or cannot be parsed, so nothing was changed here.",
    help="Make {path} a readable file that git tracks, or remove the file.",
)
NOT_PARSED = Diagnostic(
    "file-not-parsed",
    found="These files cannot be parsed.",
    why="The files name no provider, backend or AWS credentials, so this run misses nothing there.",
    help="Run `terraform validate` to see the error, or pass `--exclude PATH`.",
    page=(
        "A file that cannot be parsed is a failure (exit code 3) if it holds a word that a rule looks for, for example "
        "`provider`, `backend`, `variable`, `module` or `access_key`. Without such a word, the file is only listed."
    ),
)
