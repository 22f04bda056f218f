"""A stand-in for hashicorp/aws that signs in as the provider documents it, and tells who it is.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs#authentication-and-configuration and the library that
the provider signs in with, https://github.com/hashicorp/aws-sdk-go-base/blob/main/aws_config.go: static keys win over
all else, a profile must be there, web identity replaces what was found so far, roles are assumed in their order. The
real terraform talks to it over gRPC as to any provider; it talks to the emulated STS as any program does. One server
serves every provider of every plan: terraform opens a connection of its own for each of them.
"""

# ruff: noqa: N802 - the names are the protocol's

from __future__ import annotations

import configparser
import json
import os
from collections.abc import Iterator, Mapping
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import grpc
from tf.gen import grpc_controller_pb2 as controller
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import grpc_stdio_pb2_grpc as stdio_rpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.utils import read_dynamic_value, to_dynamic_value

STRING, BOOL, NUMBER = b'"string"', b'"bool"', b'"number"'
STRINGS, SET, MAP = b'["list","string"]', b'["set","string"]', b'["map","string"]'
LIST = pb.Schema.NestedBlock.NestingMode.LIST


def _attributes(**types: bytes) -> list[pb.Schema.Attribute]:
    return [pb.Schema.Attribute(name=name, type=type_, optional=True) for name, type_ in types.items()]


def _block(name: str, most: int = 0, **types: bytes) -> pb.Schema.NestedBlock:
    block = pb.Schema.Block(attributes=_attributes(**types))
    return pb.Schema.NestedBlock(type_name=name, block=block, nesting=LIST, max_items=most)


_ASSUMED = {
    **dict.fromkeys(("role_arn", "session_name", "external_id", "policy", "duration", "source_identity"), STRING),
    "policy_arns": SET,
    "tags": MAP,
    "transitive_tag_keys": SET,
}
_WEB = {**dict.fromkeys(("role_arn", "session_name", "policy", "duration"), STRING), "policy_arns": SET}
_WEB |= dict.fromkeys(("web_identity_token", "web_identity_token_file"), STRING)
_PLAIN = ("access_key", "secret_key", "token", "profile", "region", "sts_region", "skip_metadata_api_check")
_FLAGS = ("skip_credentials_validation", "skip_region_validation", "skip_requesting_account_id", "insecure")
PROVIDER = pb.Schema.Block(
    attributes=_attributes(
        **dict.fromkeys(_PLAIN, STRING),
        **dict.fromkeys(_FLAGS, BOOL),
        shared_config_files=STRINGS,
        shared_credentials_files=STRINGS,
        allowed_account_ids=SET,
        forbidden_account_ids=SET,
        max_retries=NUMBER,
    ),
    block_types=[
        _block("assume_role", **_ASSUMED),
        _block("assume_role_with_web_identity", 1, **_WEB),
        _block("default_tags", 1, tags=MAP),
        _block("endpoints", **dict.fromkeys(("sts", "s3", "iam"), STRING)),
    ],
)
IDENTITY = pb.Schema.Block(
    attributes=[
        *_attributes(expected=STRING),
        *(
            pb.Schema.Attribute(name=name, type=STRING, computed=True)
            for name in ("account_id", "arn", "signs", "base")
        ),
    ]
)
VAULT = pb.Schema.Block(
    attributes=[
        *_attributes(backend=STRING, role=STRING),
        *(
            pb.Schema.Attribute(name=name, type=STRING, computed=True)
            for name in ("access_key", "secret_key", "security_token")
        ),
    ]
)


class SignInFailed(Exception):
    """What the provider itself would say."""


@dataclass(frozen=True)
class Session:
    """Credentials: who has them, in the words of the table of who signs, and what they were made of."""

    key: str
    secret: str
    token: str
    signs: str
    base: str


@dataclass
class Sts:
    """The emulated STS at ``url``; a role that was assumed before is not assumed again."""

    url: str
    known: dict[tuple[str, ...], Session] = field(default_factory=dict)

    @cached_property
    def _session(self) -> Any:
        import botocore.session

        return botocore.session.get_session()

    def _client(self, session: Session | None) -> Any:
        from botocore import UNSIGNED
        from botocore.config import Config

        keys = (session.key, session.secret, session.token or None) if session else (None, None, None)
        config = Config(signature_version=UNSIGNED) if session is None else None
        return self._session.create_client(
            "sts",
            "eu-west-1",
            endpoint_url=self.url,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            aws_session_token=keys[2],
            config=config,
        )

    def web_identity(self, role: str, token: str) -> Session:
        if ("web", role) not in self.known:
            answer = self._client(None).assume_role_with_web_identity(
                RoleArn=role, RoleSessionName="terraform", WebIdentityToken=token
            )
            self.known["web", role] = _session(answer, f"web identity {role}", role)
        return self.known["web", role]

    def assume(self, session: Session, role: str) -> Session:
        if (session.key, role) not in self.known:
            answer = self._client(session).assume_role(RoleArn=role, RoleSessionName="terraform")
            self.known[session.key, role] = _session(answer, f"{session.signs}, then role {role}", session.base)
        return self.known[session.key, role]

    def identity(self, session: Session) -> tuple[str, str]:
        """The account and the ARN of whoever has the credentials."""
        key = ("who", session.key)
        if key not in self.known:
            answer = self._client(session).get_caller_identity()
            self.known[key] = Session(answer["Account"], answer["Arn"], "", "", "")
        return self.known[key].key, self.known[key].secret


def _session(answer: Any, signs: str, base: str) -> Session:
    found = answer["Credentials"]
    return Session(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], signs, base)


def sign_in(config: Mapping[str, Any], environment: Mapping[str, str], sts: Sts) -> Session | None:
    """The credentials of a provider with ``config`` in an environment; None if it finds none."""
    session = _first(config, environment)
    web = next(iter(config.get("assume_role_with_web_identity") or ()), None)
    keys = [config.get(name) for name in ("access_key", "secret_key", "token")]
    if not any(keys):
        given = environment if web is None and session is None else {}
        if web is not None:
            session = sts.web_identity(web["role_arn"] or "", _token(web))
        elif given.get("AWS_ROLE_ARN") and given.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
            session = sts.web_identity(given["AWS_ROLE_ARN"], Path(given["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text())
    for role in config.get("assume_role") or ():
        if role["role_arn"]:
            session = sts.assume(
                session or Session("nobody", "x", "", "the environment", "environment"), role["role_arn"]
            )
    return session


def _first(config: Mapping[str, Any], environment: Mapping[str, str]) -> Session | None:
    """Static keys, a profile, or the keys of the environment."""
    key, secret, token = (config.get(name) for name in ("access_key", "secret_key", "token"))
    if key or secret or token:
        if not key or not secret:
            raise SignInFailed("static credentials are empty")
        return Session(key, secret, token or "", "static key", key)
    profile = config.get("profile") or environment.get("AWS_PROFILE")
    if profile:
        files = configparser.ConfigParser()
        files.read(config.get("shared_credentials_files") or [environment.get("AWS_SHARED_CREDENTIALS_FILE", "")])
        if profile not in files:
            raise SignInFailed(f"failed to get shared config profile, {profile}")
        return Session(files[profile]["aws_access_key_id"], "x", "", f"profile {profile}", f"profile {profile}")
    if environment.get("AWS_ACCESS_KEY_ID"):
        signs = environment.get("SIGNS", "keys in the environment")
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        return Session(*(environment.get(name, "") for name in names), signs, signs.removeprefix("web identity "))
    return None


def _token(web: Mapping[str, Any]) -> str:
    if not web.get("web_identity_token_file"):
        return str(web.get("web_identity_token") or "")
    try:
        return Path(web["web_identity_token_file"]).read_text()
    except OSError:
        raise SignInFailed("Cannot assume IAM Role with web identity: unable to read file") from None


class AwsProvider(rpc.ProviderServicer):
    """The provider; ``environment`` is what its process would have, ``log`` each configuration that it was given."""

    def __init__(self, url: str, data: Mapping[str, pb.Schema.Block], provider: pb.Schema.Block) -> None:
        self._sts = Sts(url)
        self._data = {name: pb.Schema(block=block) for name, block in data.items()}
        self._provider = pb.Schema(block=provider)
        self._configured: dict[str, Any] = {}
        self.environment: dict[str, str] = {}
        self.log: list[dict[str, Any]] = []

    def hook(self, role: str) -> dict[str, str]:
        """The environment that a hook leaves which exchanges the token for credentials of a role."""
        made = self._sts.web_identity(role, "token")
        names = {"AWS_ACCESS_KEY_ID": made.key, "AWS_SECRET_ACCESS_KEY": made.secret, "AWS_SESSION_TOKEN": made.token}
        return {**names, "SIGNS": made.signs}

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return pb.GetMetadata.Response(server_capabilities=pb.ServerCapabilities(get_provider_schema_optional=True))

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        meta = pb.Schema(block=pb.Schema.Block())
        return pb.GetProviderSchema.Response(
            provider=self._provider, provider_meta=meta, data_source_schemas=self._data
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        self._configured[context.peer()] = read_dynamic_value(request.config)
        self.log.append(self._configured[context.peer()])
        return pb.ConfigureProvider.Response()

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        asked = read_dynamic_value(request.config)
        if request.type_name != "aws_caller_identity":
            made = {"access_key": "ID-vault", "secret_key": "x", "security_token": "x"}
            return pb.ReadDataSource.Response(state=to_dynamic_value({**asked, **made}))
        try:
            session = sign_in(self._configured[context.peer()], self.environment, self._sts)
        except SignInFailed as error:
            return pb.ReadDataSource.Response(
                diagnostics=[pb.Diagnostic(severity=pb.Diagnostic.ERROR, summary=str(error))]
            )
        account, arn = self._sts.identity(session) if session else ("", "")
        told = {"account_id": account, "arn": arn, "signs": session.signs if session else "the environment"}
        told["base"] = session.base if session else "environment"
        return pb.ReadDataSource.Response(state=to_dynamic_value({**asked, **told}))

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


class _Controller(controller_rpc.GRPCControllerServicer):
    def Shutdown(self, request: Any, context: Any) -> Any:
        return controller.Empty()


class _Stdio(stdio_rpc.GRPCStdioServicer):
    def StreamStdio(self, request: Any, context: Any) -> Any:
        return iter([])


@contextmanager
def serving(url: str) -> Iterator[tuple[AwsProvider, str]]:
    """The provider, and the ``TF_REATTACH_PROVIDERS`` with which terraform takes it; ``url`` is the emulated AWS."""
    aws = AwsProvider(url, {"aws_caller_identity": IDENTITY}, PROVIDER)
    vault = AwsProvider(url, {"vault_aws_access_credentials": VAULT}, pb.Schema.Block())
    served = {"hashicorp/aws": aws, "hashicorp/vault": vault}
    reattach: dict[str, Any] = {}
    servers = []
    for name, provider in served.items():
        server = grpc.server(futures.ThreadPoolExecutor(24))
        rpc.add_ProviderServicer_to_server(provider, server)
        controller_rpc.add_GRPCControllerServicer_to_server(_Controller(), server)
        stdio_rpc.add_GRPCStdioServicer_to_server(_Stdio(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
        reattach[f"registry.terraform.io/{name}"] = {
            **{"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
        }
    try:
        yield aws, json.dumps(reattach)
    finally:
        for server in servers:
            server.stop(None)
