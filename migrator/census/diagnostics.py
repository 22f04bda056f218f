"""The messages about mentions of AWS credentials without another finding."""

from __future__ import annotations

from migrator.model.diagnostics import Diagnostic

NOT_UNDERSTOOD = Diagnostic(
    "mention-not-understood",
    found="This program did not understand these mentions of AWS credentials.",
    help="Read these lines. If a run signs in to AWS with these credentials, migrate them by hand.",
    page="""\
This program reads every text file and looks for words that can sign in to AWS: arguments of the AWS provider
and of the S3 backend, names of variables such as `AWS_ACCESS_KEY_ID`, options such as `--profile`, and access keys. A
place that no finding accounts for is listed under this code. A report never says "nothing to migrate" while such a
place exists.""",
)
TO_READ = Diagnostic(
    "mentions-to-read",
    found="Read these lines: they mention AWS credentials, and this program did not understand them ({count} in all).",
    help="If a run signs in to AWS with these credentials, migrate them by hand.",
)
DOCUMENTATION = Diagnostic(
    "not-read-documentation",
    found="This repository mentions AWS credentials in documentation.",
    why="Documentation is not read, because no run uses it.",
    help="Change instructions that tell people to set static keys.",
)
COMMANDS = Diagnostic(
    "not-read-commands",
    found="This repository mentions AWS credentials in shell scripts, Makefiles, containers or CI files.",
    why="This program does not change these files: their commands run outside of Spacelift.",
    help="If a stack's hook runs one of these files, or Terraform runs in this CI, migrate the credentials by hand.",
)
PROGRAM = Diagnostic(
    "not-read-program",
    found="This repository mentions AWS credentials in the source of a program.",
    why="The program is not read: nothing in the file shows that the program writes Terraform, or the file is a test.",
    help="If this program runs Terraform, let the program use the credentials of the run.",
)
OTHER_FILE = Diagnostic(
    "not-read-other-file",
    found="This repository mentions AWS credentials in the configuration of another program.",
    why="The file is not read: nothing in the file shows that Terraform or Spacelift uses it.",
    help="If a run uses this file, migrate the credentials there by hand.",
)
RESOURCE = Diagnostic(
    "not-read-resource",
    found="This repository mentions AWS credentials in the arguments of resources or data sources.",
    why="These credentials are for what the resource makes. Terraform does not sign in with them.",
    help="Give the application an IAM role of its own, where its platform supports one.",
)
DECLARATION = Diagnostic(
    "not-read-declaration",
    found="A variable, an output or a check of this repository mentions AWS credentials.",
    why="Nothing signs in here. Providers and backends that use the value are listed on their own.",
)
OTHER_PROVIDER = Diagnostic(
    "not-read-other-provider",
    found="This repository has arguments for keys in a provider or backend that is not for AWS.",
    why="These keys sign in elsewhere, so that this program does not change them.",
)
MISSING_FILE = Diagnostic(
    "not-read-missing-file",
    found="The option `-backend-config` names a file that the repository does not contain.",
    why="The file cannot be read, so that its arguments are not known.",
    help="If the file holds keys, a profile or a role, remove them where the file is made.",
)
ACCESS_KEY = Diagnostic(
    "access-key-elsewhere",
    found="Access keys are written out in files that Terraform does not read.",
    why="This program does not change these files.",
    help="Rotate the keys in AWS, and remove them from the files.",
)

CHAINED = Diagnostic(
    "role-assumed-by-run",
    found="An S3 backend or a remote state assumes a role with the credentials of the run.",
    why="The section names no static keys, so that nothing changes here.",
)
COMMAND_OF_TERRAFORM = Diagnostic(
    "command-of-terraform",
    found="Terraform runs commands that name AWS credentials.",
    why="What a provider signs in with does not reach these commands.",
    help="Let these commands use the credentials of the run, before the keys or the profile go.",
)
PASSED_ON = Diagnostic(
    "credentials-passed-to-module",
    found="A module call passes AWS credentials on.",
    why="The module is not in this run, or no provider of the module uses the value.",
    help="Name the repository of the module in the same run, if its providers sign in with the value.",
)
NOT_LOADED = Diagnostic(
    "not-read-not-loaded",
    found="This repository mentions AWS credentials in examples and backup files.",
    why="Terraform does not load files of these names.",
    help="Delete the files, or migrate them by hand before somebody copies them.",
)
LARGE_FILE = Diagnostic(
    "not-read-large-file",
    found="This program does not search text files of more than 2 MB for credentials.",
    why="These files may hold AWS credentials, and no rule reads them.",
    help="Search these files for access keys, for example with `git grep -l AKIA`.",
)
