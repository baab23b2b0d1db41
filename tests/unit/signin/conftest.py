"""Fixtures that start real OpenID providers."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator

import pytest
from openid_provider import CLIENTS, HERE, RunningProvider, find_node, modules, spawn


@pytest.fixture(scope="session")
def start_provider() -> Iterator[Callable[..., RunningProvider]]:
    """Starts providers; they end with the test run."""
    node, npm = find_node()
    folder = modules(npm)
    running: list[RunningProvider] = []

    def start(**settings: object) -> RunningProvider:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        text = json.dumps({"clients": CLIENTS, **settings})
        command = [*node, str(HERE / "provider.mjs"), str(folder), str(port), text]
        provider = RunningProvider(f"http://127.0.0.1:{port}", command, spawn(command))
        running.append(provider)
        return provider

    yield start
    for provider in running:
        provider.stop()


@pytest.fixture(scope="module")
def provider(start_provider: Callable[..., RunningProvider]) -> RunningProvider:
    return start_provider()
