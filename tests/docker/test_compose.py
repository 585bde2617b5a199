"""docker/compose.yml has the structure that Compose wants and the settings that Label Studio needs, without Docker."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ml_backend.config import Settings
from ml_backend.options import option_of

DOCKER = Path(__file__).parents[2] / "docker"

# The parts of the Compose specification that the file uses; anything else is a typing error.
TEXT = {"type": "string", "minLength": 1}
DURATION = {"type": "string", "pattern": r"^(\d+(\.\d+)?(us|ms|s|m|h))+$"}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
HEALTHCHECK = {
    "type": "object",
    "required": ["test"],
    "additionalProperties": False,
    "properties": {
        "test": {"type": "array", "items": TEXT, "prefixItems": [{"enum": ["CMD", "CMD-SHELL"]}], "minItems": 2},
        "interval": DURATION,
        "timeout": DURATION,
        "start_period": DURATION,
        "retries": {"type": "integer", "minimum": 1},
    },
}
SERVICE = {
    "type": "object",
    "anyOf": [{"required": ["image"]}, {"required": ["build"]}],
    "additionalProperties": False,
    "properties": {
        "image": TEXT,
        "build": {
            "type": "object",
            "required": ["context"],
            "additionalProperties": False,
            "properties": {"context": TEXT, "dockerfile": TEXT, "args": {"type": "object"}},
        },
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^(\S+:)?(\d+|\$\{\w+:-\d+\}):\d+$"}},
        "environment": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z][A-Z0-9_]*$"},
            # Texts only: YAML would turn false into a boolean, which Compose refuses.
            "additionalProperties": {"type": "string"},
        },
        "networks": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"aliases": TEXTS},
            },
        },
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[\w./-]+:/[\w./-]+(:ro)?$"}},
        "depends_on": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["condition"],
                "additionalProperties": False,
                "properties": {
                    "condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}
                },
            },
        },
        "healthcheck": HEALTHCHECK,
        "stop_grace_period": DURATION,
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
    },
}
COMPOSE = {
    "type": "object",
    "required": ["services"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE, "minProperties": 1},
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
    },
}
EXPECTED_NAMES = {
    "PORT", "WORKERS", "THREADS", "MODEL_DIR", "LOG_LEVEL", "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY",
    "BASIC_AUTH_USER", "BASIC_AUTH_PASS",
}  # fmt: skip
"""What users of ML backends expect to find."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text("utf-8"))
    return read


def interpolated(environment: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """${NAME:-default} and ${NAME:?message} as Compose fills them in, those within a default first."""

    def fill(match: re.Match[str]) -> str:
        name, operator, rest = match.groups()
        if operator == ":?" and not given.get(name):
            raise KeyError(rest)
        return given.get(name) or ("" if operator == ":?" else rest)

    filled = {name: re.sub(r"\$\{(\w+)(:-|:\?)([^${}]*)\}", fill, value) for name, value in environment.items()}
    return filled if filled == environment else interpolated(filled, given)


def test_structure(compose: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(COMPOSE)
    jsonschema.validate(compose, COMPOSE, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("spoil", [{"imge": "x"}, {"environment": {"A": False}}, {"restart": "sometimes"}])
def test_the_schema_finds_errors(compose: dict[str, Any], spoil: dict[str, object]) -> None:
    spoilt = {**compose, "services": {"one": {**compose["services"]["lantern"], **spoil}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, COMPOSE, jsonschema.Draft202012Validator)


def test_named_volumes_and_services_exist(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_label_studio_may_call_its_own_network(compose: dict[str, Any]) -> None:
    environment = compose["services"]["label-studio"]["environment"]
    assert environment["ML_BLOCK_LOCAL_IP"] == "false"
    assert environment["SSRF_PROTECTION_ENABLED"] == "false"


def test_lantern_is_called_by_a_name_with_a_dot(compose: dict[str, Any]) -> None:
    lantern = compose["services"]["lantern"]
    aliases = lantern["networks"]["default"]["aliases"]
    assert all("." in alias for alias in aliases)
    assert lantern["environment"]["LANTERN_PUBLIC_URL"] == f"http://{aliases[0]}:{lantern['environment']['PORT']}"


def test_lantern_reads_every_variable(compose: dict[str, Any]) -> None:
    environment = compose["services"]["lantern"]["environment"]
    assert set(environment) >= EXPECTED_NAMES
    assert set(environment) <= {name for of in fields(Settings) for name in option_of(of).names}


def test_the_settings_work_and_can_be_reached_from_outside(compose: dict[str, Any]) -> None:
    environment = compose["services"]["lantern"]["environment"]
    with pytest.raises(KeyError, match="password"):
        interpolated(environment, {})
    settings = Settings.from_environment(interpolated(environment, {"BASIC_AUTH_PASS": "x"}))
    assert settings.bind_host == "0.0.0.0"


def test_browsers_come_by_the_ports_or_by_a_proxy(compose: dict[str, Any]) -> None:
    environment = compose["services"]["lantern"]["environment"]
    ports = {"BASIC_AUTH_PASS": "x", "PORT": "9091", "LABEL_STUDIO_PORT": "8081"}
    by_ports = interpolated(environment, ports)
    assert by_ports["LANTERN_BROWSER_URL"] == "http://localhost:9091"
    assert by_ports["LABEL_STUDIO_BROWSER_URL"] == "http://localhost:8081"
    proxy = {"LANTERN_BROWSER_URL": "https://lantern.test", "LABEL_STUDIO_BROWSER_URL": "https://studio.test"}
    by_proxy = interpolated(environment, ports | proxy)
    assert {name: by_proxy[name] for name in proxy} == proxy


def test_the_build_context_holds_what_the_dockerfile_copies(compose: dict[str, Any]) -> None:
    build = compose["services"]["lantern"]["build"]
    root = (DOCKER / build["context"]).resolve()
    assert (root / build["dockerfile"]).is_file()
    allowed = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().split() if line.startswith("!")}
    dockerfile = (root / build["dockerfile"]).read_text("utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (root / source).exists()
            assert any(source == name or source.startswith(f"{name}/") for name in allowed)


def test_the_image_installs_the_pinned_torch() -> None:
    assert "--constraint .ci/constraints.txt" in (DOCKER / "Dockerfile").read_text("utf-8")
    assert "torch==" in (DOCKER.parent / ".ci" / "constraints.txt").read_text("utf-8")
