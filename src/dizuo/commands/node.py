"""`dizuo node`: what a department installs; needs no database and no city of its own."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dizuo.commands.until_stopped import serve_until_stopped
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.kernel.errors import Conflict, DizuoError
from dizuo.foundation.signing import ED25519, SM2
from dizuo.node import BaseClient, Journal, NodeHome, Provider, download, follow, read_adapter, serving
from dizuo.node.client import PREFIX
from dizuo.node.home import fingerprint, read_jwks


class NodeWords(DizuoError):
    """命令不完整：{why}。"""

    fix = "运行 dizuo node 动作 --help 看怎么写。"


class NodeAddressTaken(Conflict):
    """节点不能在 {host}:{port} 上工作：{why}。"""

    fix = "请用 --host、--port 换一个地址或端口。"


def run(arguments: argparse.Namespace) -> int:
    """Do one action. Errors: NodeWords, NodeAddressTaken, and those of dizuo.node."""
    folder: Path = arguments.home.absolute()
    if arguments.action == "init":
        home = NodeHome.make(folder, arguments.department, arguments.base)
        print(
            f"A node of {home.settings.department} at {folder}.\nNext: dizuo node --home {arguments.home} key make"
        )
        return 0
    return _ACTIONS[arguments.action](arguments, NodeHome(folder))


def _key(arguments: argparse.Namespace, home: NodeHome) -> int:
    match arguments.what:
        case "make":
            made = home.make_key(SM2 if arguments.sm2 else ED25519)
            print(json.dumps(made.public.as_jwk()))
            print(f"fingerprint {fingerprint(made.public)}", file=sys.stderr)
            print(
                "Give the line above to the base's operator (dizuo exchange-key add), who tells its id. Then:",
                file=sys.stderr,
            )
            print(f"  dizuo node --home {arguments.home} key adopt {made.id} --id ID", file=sys.stderr)
        case "adopt":
            if not (arguments.key and arguments.id):
                raise NodeWords(why="adopt 要写哪把密钥，和 --id 底座给的编号")
            print(f"{home.adopt_key(arguments.key, arguments.id).id} signs from now on.")
        case "drop":
            if not arguments.key:
                raise NodeWords(why="drop 要写哪把密钥")
            home.drop_key(arguments.key)
        case _:
            for key in home.held():
                state = "signs" if key.signs else ("older" if key.registered else "not registered yet")
                print(f"{key.id}  {key.algorithm}  {state}  {key.fingerprint}")
    return 0


def _trust(arguments: argparse.Namespace, home: NodeHome) -> int:
    if arguments.fetch == bool(arguments.file):
        raise NodeWords(why="trust 要写一个文件，或 --fetch")
    with BaseClient(home) as client:
        document = client.fetch_keys() if arguments.fetch else arguments.file.read_bytes()
    for key in read_jwks(document):
        print(f"{key.id}  {key.algorithm}  {fingerprint(key)}")
    if not arguments.yes:
        print(
            "Compare every fingerprint with what the base's operator tells you. The same? [y/N] ",
            end="",
            flush=True,
        )
        if sys.stdin.readline().strip().lower() not in {"y", "yes", "是"}:
            print("Nothing was changed.")
            return 1
    home.trust(document)
    return 0


def _grants(_: argparse.Namespace, home: NodeHome) -> int:
    with BaseClient(home) as client:
        return _print(client.grants())


def _query(arguments: argparse.Namespace, home: NodeHome) -> int:
    given = {"citizen_id": arguments.citizen_id, "uscc": arguments.uscc, "key": arguments.key}
    subject = {name: value for name, value in given.items() if value}
    with BaseClient(home) as client:
        return _print(
            client.query(arguments.resource, subject, _names(arguments.fields), **_cited(arguments))
        )


def _batch(arguments: argparse.Namespace, home: NodeHome) -> int:
    text = arguments.subjects.read_text("utf-8")
    subjects = [json.loads(line) for line in text.splitlines() if line.strip()]
    with BaseClient(home) as client:
        for start in range(0, len(subjects), 1000):
            some = subjects[start : start + 1000]
            _print(client.batch(arguments.resource, some, _names(arguments.fields), **_cited(arguments)))
    return 0


def _subscribe(arguments: argparse.Namespace, home: NodeHome) -> int:
    number, path = arguments.subscription, f"{PREFIX}/subscriptions"
    if arguments.what in {"follow", "replay", "end"} and not number:
        raise NodeWords(why=f"{arguments.what} 要写订阅的编号")
    with BaseClient(home) as client:
        match arguments.what:
            case "make":
                wanted: dict[str, object] = {
                    "grant": arguments.grant,
                    "channel": "stream",
                    "batch": arguments.batch,
                }
                if arguments.webhook:
                    wanted |= {"channel": "webhook", "target": arguments.webhook}
                if arguments.after is not None:
                    wanted["after"] = arguments.after
                return _print(client.call("POST", path, wanted, what="subscribe", about=wanted).json())
            case "list":
                return _print(client.call("GET", path, what="subscriptions").json())
            case "follow":
                follow(client, number, lambda event: print(json.dumps(event, ensure_ascii=False), flush=True))
                return 0
            case "replay":
                if arguments.after is None:
                    raise NodeWords(why="replay 要写 --after 位置")
                back = {"after": arguments.after}
                return _print(
                    client.call("POST", f"{path}/{number}/replay", back, what="replay", about=back).json()
                )
            case _:
                return _print(client.call("POST", f"{path}/{number}/end", {}, what="unsubscribe").json())


def _bulk(arguments: argparse.Namespace, home: NodeHome) -> int:
    def tell(part: int, rows: int) -> None:
        print(f"part {part}: {rows:,} records", file=sys.stderr, flush=True)

    with BaseClient(home, patience=300) as client:
        manifest = download(
            client,
            arguments.grant,
            arguments.out,
            format=arguments.format,
            fields=_names(arguments.fields),
            tell=tell,
        )
    print(f"{sum(part['rows'] for part in manifest['parts']):,} records in {arguments.out}; "
          f"changes since: dizuo node subscribe make --grant {arguments.grant} --after {manifest['feed_position']}")  # fmt: skip
    return 0


def _log(arguments: argparse.Namespace, home: NodeHome) -> int:
    count = 0
    for line in Journal(home.folder, SystemNow()).lines():
        count += 1
        if not arguments.check:
            print(json.dumps(line, ensure_ascii=False))
    if arguments.check:
        print(f"{count} lines, each bound to the one before.")
    return 0


def _serve(arguments: argparse.Namespace, home: NodeHome) -> int:
    adapters = [read_adapter(path) for path in arguments.adapter]
    # What is missing is said now and not at the first question.
    home.signing_key()
    home.trusted()
    provider = Provider(home, adapters, arguments.public, SystemNow())
    try:
        server = serving(provider, arguments.host, arguments.port)
    except OSError as error:
        raise NodeAddressTaken(host=arguments.host, port=arguments.port, why=error.strerror) from error
    host, port = server.server_address[:2]
    print(
        f"answering for {', '.join(one.resource for one in adapters)} at http://{host!s}:{port}", flush=True
    )
    serve_until_stopped(server, provider.close)
    return 0


def _cited(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("matter", "basis", "case", "purpose", "grant")}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(told: object) -> int:
    print(json.dumps(told, ensure_ascii=False, indent=1))
    return 0


_ACTIONS: Mapping[str, Callable[[argparse.Namespace, NodeHome], int]] = {
    "key": _key,
    "trust": _trust,
    "grants": _grants,
    "query": _query,
    "batch": _batch,
    "subscribe": _subscribe,
    "bulk": _bulk,
    "log": _log,
    "serve": _serve,
}
