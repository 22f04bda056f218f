"""Trees of Terraform files to be measured: made up, alike from run to run, and such as repositories hold.

A module is six files of some 50 lines each: ``main.tf``, ``iam.tf``, ``providers.tf``, ``versions.tf``,
``variables.tf`` and ``outputs.tf``. One module in 40 holds Spacelift's stacks for the others instead. Every tree is a
git checkout.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

FILES_OF_A_MODULE = 6
_STACKS_EVERY = 40
_REPLICA_EVERY = 20
_SETTINGS = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com", "-c", "commit.gpgsign=false")

_BUCKET = """\
resource "aws_s3_bucket" "{name}_{number}" {{
  bucket        = "${{var.prefix}}-{name}-{number}"
  force_destroy = var.environment != "production"

  tags = merge(local.tags, {{
    Name = "${{var.prefix}}-{name}-{number}" # shown in the console
    Use  = "data of {name}"
  }})

  lifecycle {{
    prevent_destroy = false
    ignore_changes  = [tags["LastBackup"]]
  }}
}}

resource "aws_s3_bucket_policy" "{name}_{number}" {{
  bucket = aws_s3_bucket.{name}_{number}.id
  policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [for account in var.readers : {{
      Effect    = "Allow"
      Action    = ["s3:GetObject", "s3:ListBucket"]
      Principal = {{ AWS = "arn:aws:iam::${{account}}:root" }}
      Resource  = [aws_s3_bucket.{name}_{number}.arn, "${{aws_s3_bucket.{name}_{number}.arn}}/*"]
    }}]
  }})
}}
"""
_FUNCTION = """\
module "{name}_{number}" {{
  source  = "terraform-aws-modules/lambda/aws"
  version = "~> 7.2"

  function_name = "${{var.prefix}}-{name}-{number}"
  handler       = "index.handler"
  runtime       = "python3.12"
  timeout       = 30
  memory_size   = 256
  source_path   = "${{path.module}}/src/{name}"

  environment_variables = {{
    BUCKET = aws_s3_bucket.{name}_0.id
    STAGE  = var.environment
  }}
}}
"""
_ROLE = """\
data "aws_iam_policy_document" "{name}_{number}" {{
  statement {{
    sid       = "Read{number}"
    actions   = ["s3:GetObject", "s3:ListBucket", "kms:Decrypt"]
    resources = ["*"]

    condition {{
      test     = "StringEquals"
      variable = "aws:PrincipalOrgID"
      values   = [var.organization]
    }}
  }}
}}

resource "aws_iam_role" "{name}_{number}" {{
  name               = "${{var.prefix}}-{name}-{number}"
  assume_role_policy = <<-POLICY
    {{
      "Version": "2012-10-17",
      "Statement": [{{
        "Effect": "Allow",
        "Principal": {{ "Service": "lambda.amazonaws.com" }},
        "Action": "sts:AssumeRole"
      }}]
    }}
  POLICY
}}
"""
_LOCALS = """\
locals {
  tags = {
    Environment = var.environment
    Team        = var.team
    ManagedBy   = "terraform"
  }
}

"""
_PROVIDER = """\
# The account of the workload: {name}.
provider "aws" {{
  region     = var.region
  access_key = "AKIAIOSFODNN7EXAMPLE"
  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

  default_tags {{
    tags = local.tags
  }}
}}
"""
_REPLICA = """
provider "aws" {{
  alias      = "replica"
  region     = "eu-west-1"
  access_key = "AKIAI44QH8DHBEXAMPLE" # {name}
  secret_key = "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
}}
"""
_SIGNED_IN = """\
provider "aws" {{
  region = var.region # {name}

  assume_role_with_web_identity {{
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }}

  default_tags {{
    tags = local.tags
  }}
}}
"""
_VERSIONS = """\
terraform {{
  required_version = ">= 1.5"

  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "~> 5.40"
    }}
  }}
{backend}}}
"""
_BACKEND = """\

  backend "s3" {{
    bucket         = "example-terraform-state"
    key            = "{name}/terraform.tfstate"
    region         = "eu-west-1"
    dynamodb_table = "terraform-locks"
    encrypt        = true
{role}  }}
"""
_ROLE_OF_BACKEND = '    role_arn       = "arn:aws:iam::123456789012:role/terraform-state"\n'
_VARIABLE = """\
variable "{name}" {{
  description = "The {name} that everything in this module is made for"
  type        = {type}
  default     = {default}

  validation {{
    condition     = var.{name} != null
    error_message = "The {name} must not be null."
  }}
}}
"""
_OUTPUT = """\
output "{name}_{number}_role" {{
  description = "ARN of the role {number} of {name}"
  value       = aws_iam_role.{name}_{number}.arn
}}
"""
_STACK = """\
resource "spacelift_stack" "{name}" {{
  name              = "{name}"
  repository        = "{repository}"
  branch            = "main"
  project_root      = "{root}"
  terraform_version = "1.5.7"
  manage_state      = false
}}
"""
_VARIABLES = (
    ("region", "string", '"eu-central-1"'),
    ("prefix", "string", '"example"'),
    ("environment", "string", '"staging"'),
    ("team", "string", '"platform"'),
    ("organization", "string", '"o-example"'),
    ("retention", "number", "30"),
    ("readers", "list(string)", "[]"),
)
_NAMES = ("billing", "catalog", "events", "identity", "ledger", "media", "orders", "search")


def git(folder: Path, *arguments: str) -> None:
    """Run git in ``folder``, silently."""
    subprocess.run(["git", *_SETTINGS, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path) -> Path:
    """Make ``folder`` a checkout of which everything is committed."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=import")
    return folder


def keyed(folder: Path, modules: int) -> Path:
    """A tree of modules with static keys in two providers and a role in the backend, run by stacks of its own."""
    for number in range(modules):
        path = _path(number)
        if number % _STACKS_EVERY == 0:
            others = range(number + 1, min(number + _STACKS_EVERY, modules))
            _write(folder / path, _stacks(folder.name, others))
        else:
            name = _NAMES[number % len(_NAMES)]
            backend = _BACKEND.format(name=path, role=_ROLE_OF_BACKEND)
            providers = _PROVIDER + (_REPLICA if number % _REPLICA_EVERY == 1 else "")
            _write(folder / path, _module(name, providers.format(name=path), backend))
    return commit(folder)


_KUBERNETES = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}-{number}
  annotations:
    eks.amazonaws.com/role: reader-{number}
spec:
  template:
    spec:
      securityContext:
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {name}
          image: registry.example.com/{name}:{number}
          env:
            - name: BUCKET
              value: {name}-{number}
"""
_GO = """\
package {name}

// Handler{number} answers a request of the user's profile.
func Handler{number}(w http.ResponseWriter, r *http.Request) {{
\tprofile := load(r.Context(), "{name}")
\tif profile == nil {{
\t\thttp.Error(w, "not found", http.StatusNotFound)
\t\treturn
\t}}
\tjson.NewEncoder(w).Encode(profile)
}}
"""
_MARKDOWN = """\
## {name} {number}

The service {name} keeps the profile of a user. Read the guide of access before a change of the schema.

| name | type | default |
|---|---|---|
| bucket | string | {name}-{number} |

"""


def mostly_text(folder: Path, files: int) -> Path:
    """A tree of YAML, Go and Markdown, 6 kB a file, with one small module of Terraform for 40 files."""
    kinds = (("deployment.yaml", _KUBERNETES), ("handler.go", _GO), ("README.md", _MARKDOWN))
    for number in range(files):
        name = _NAMES[number % len(_NAMES)]
        file, template = kinds[number % len(kinds)]
        text = template.format(name=name, number=number)
        head = "Set `AWS_PROFILE` for tests on a laptop.\n" if file == "README.md" else ""
        _write(folder / f"services/{number:05d}", {file: head + text * (6000 // len(text))})
        if number % _STACKS_EVERY == 0:
            backend = _BACKEND.format(name=name, role="")
            _write(folder / _path(number), _module(name, _PROVIDER.format(name=name), backend))
    return commit(folder)


def library(folder: Path, modules: int) -> Path:
    """A tree of modules that take their providers from whoever calls them: no file names one."""
    for number in range(modules):
        _write(folder / _path(number), _module(_NAMES[number % len(_NAMES)], "# none of its own\n", ""))
    return commit(folder)


def signed_in(folder: Path, modules: int) -> Path:
    """A tree of root modules that have what the tool would write."""
    for number in range(modules):
        path = _path(number)
        providers = _SIGNED_IN.format(name=path)
        role = _VARIABLE.format(name="aws_role_arn", type="string", default='"arn:aws:iam::123456789012:role/run"')
        files = _module(_NAMES[number % len(_NAMES)], providers, _BACKEND.format(name=path, role=""))
        _write(folder / path, {**files, "variables.tf": f"{files['variables.tf']}\n{role}"})
    return commit(folder)


def large_file(folder: Path, size: int) -> Path:
    """A tree of one relevant file of ``size`` bytes or a little more; its keys stand in the last blocks."""
    pieces, length = [_LOCALS], 0
    for number in range(size):
        name = _NAMES[number % len(_NAMES)]
        blocks = [template.format(name=name, number=number) for template in (_BUCKET, _FUNCTION, _ROLE, _OUTPUT)]
        pieces += blocks
        length += sum(map(len, blocks))
        if length >= size:
            break
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("\n".join([*pieces, _PROVIDER.format(name="large")]))
    return commit(folder)


def count(folder: Path) -> tuple[int, int]:
    """How many files of Terraform a tree has, and how many lines."""
    files = [path.read_bytes() for path in folder.rglob("*.tf")]
    return len(files), sum(data.count(b"\n") for data in files)


def _path(number: int) -> str:
    return f"team{number // _STACKS_EVERY:03d}/service{number:05d}"


def _module(name: str, providers: str, backend: str) -> dict[str, str]:
    def several(template: str, times: int) -> str:
        return "\n".join(template.format(name=name, number=number) for number in range(times))

    variables = (_VARIABLE.format(name=one, type=type_, default=default) for one, type_, default in _VARIABLES)
    return {
        "main.tf": several(_BUCKET, 3) + "\n" + several(_FUNCTION, 2),
        "iam.tf": several(_ROLE, 3),
        "providers.tf": _LOCALS + providers,
        "versions.tf": _VERSIONS.format(backend=backend),
        "variables.tf": "\n".join(variables),
        "outputs.tf": several(_OUTPUT, 3),
    }


def _stacks(repository: str, others: range) -> dict[str, str]:
    numbers = list(others)
    share = -(-len(numbers) // FILES_OF_A_MODULE)
    files: dict[str, str] = {}
    for part in range(FILES_OF_A_MODULE):
        stacks = (
            _STACK.format(name=f"service{number:05d}", repository=repository, root=_path(number))
            for number in numbers[part * share : (part + 1) * share]
        )
        files[f"stacks{part}.tf"] = "\n".join(stacks) or "# none yet\n"
    return files


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
