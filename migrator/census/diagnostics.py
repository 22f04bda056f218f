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
    why="Documentation is searched for such names only, because no run uses documentation.",
    help="Change instructions that tell people to set static keys.",
)
COMMANDS = Diagnostic(
    "not-read-commands",
    found="This repository mentions AWS credentials in shell scripts, Makefiles, containers or CI files.",
    why="This program does not know which runs use these commands, and does not change the files.",
    help="If a hook of a stack runs one of these files, or Terraform runs in this CI, migrate the credentials by hand.",
)
PROGRAM = Diagnostic(
    "not-read-program",
    found="This repository mentions AWS credentials in the source of a program.",
    why="The source was searched for such names only: the file is a test, or does not seem to write Terraform code.",
    help="If this program runs Terraform, let the program use the credentials of the Spacelift run.",
)
OTHER_FILE = Diagnostic(
    "not-read-other-file",
    found="This repository mentions AWS credentials in the configuration of another program.",
    why="The file was searched for such names only. Terraform or Spacelift may use the file.",
    help="If a hook or a resource of a stack uses this file, replace the keys there with a role by hand.",
)
RESOURCE = Diagnostic(
    "not-read-resource",
    found="This repository mentions AWS credentials in the arguments of resources or data sources.",
    why="An application or another service uses these credentials. Terraform does not sign in with the credentials.",
    help="Give the application or the service an IAM role of its own, if the platform supports roles.",
)
DECLARATION = Diagnostic(
    "not-read-declaration",
    found="These declarations only name AWS credentials: variables, locals, outputs, checks or tests.",
    why="A declaration signs in to nothing. A provider or backend that uses the value has a line of its own.",
    help="Remove a declaration that nothing uses. Otherwise, nothing is to be done here.",
)
OTHER_PROVIDER = Diagnostic(
    "not-read-other-provider",
    found="This repository has arguments for keys in a provider or backend that is not for AWS.",
    why="These keys do not sign in to AWS, so this program does not change the keys.",
)
MISSING_FILE = Diagnostic(
    "not-read-missing-file",
    found="The option `-backend-config` names a file that the repository does not contain.",
    why="The arguments in that file were not migrated.",
    help="If the file holds keys, a profile or a role, remove these arguments where the file is made.",
)
ACCESS_KEY = Diagnostic(
    "access-key-elsewhere",
    found="Access keys are written out in files that Terraform does not read.",
    why="This program does not change these files.",
    help="Remove the keys from the files, and deactivate and delete the keys in AWS when nothing uses the keys.",
)

CHAINED = Diagnostic(
    "role-assumed-by-run",
    found="An S3 backend or a remote state assumes a role with the credentials of the run.",
    why="The block names no static keys, so nothing was changed.",
)
COMMAND_OF_TERRAFORM = Diagnostic(
    "command-of-terraform",
    found="Terraform runs commands that name AWS credentials.",
    why="The role of a provider block does not reach these commands.",
    help="Before the keys or the profile are removed, give these commands credentials, for example with a hook.",
)
PASSED_ON = Diagnostic(
    "credentials-passed-to-module",
    found="A module call passes AWS credentials on.",
    why="The module is not in this run, or no provider of the module uses the value.",
    help="Name the repository of the module in the same run, if its providers sign in with the value.",
)
MODULES_TO_NAME = Diagnostic(
    "modules-to-name",
    found="Run again with the repositories of the modules that get AWS credentials from these calls.",
    help="If a module is not yours, replace the credentials in the call by hand.",
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
