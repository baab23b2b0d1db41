"""The words of `dizuo node`: one place that names them, light enough for every start of `dizuo`."""

from __future__ import annotations

import argparse
from pathlib import Path


def declare(node: argparse.ArgumentParser) -> None:
    """Add the node's actions and their words."""
    node.add_argument("--home", type=Path, default=Path(".dizuo-node"), help="the node's own folder")
    acts = node.add_subparsers(dest="action", metavar="ACTION", required=True)

    init = acts.add_parser("init", help="set up the node's folder")
    init.add_argument("--department", required=True, help="the department's id at the base")
    init.add_argument("--base", required=True, help="the base's address, such as https://data.example")

    key = acts.add_parser("key", help="make, adopt, list or drop signing keys")
    key.add_argument("what", choices=["make", "adopt", "list", "drop"])
    key.add_argument("key", nargs="?", default="", help="which key")
    key.add_argument("--id", default="", help="for adopt: the id under which the base registered it")
    key.add_argument("--sm2", action="store_true", help="for make: SM2 with SM3 in place of Ed25519")

    trust = acts.add_parser("trust", help="believe the base's public keys, after comparing fingerprints")
    trust.add_argument("file", type=Path, nargs="?", help="a JWK Set that the base's operator gave you")
    trust.add_argument("--fetch", action="store_true", help="fetch them from the base")
    trust.add_argument("--yes", action="store_true", help="the fingerprints were compared already")

    acts.add_parser("grants", help="what this department may use")

    for name, text in (("query", "ask about one subject"), ("batch", "ask about many subjects")):
        one = acts.add_parser(name, help=text)
        _cite(one)
        if name == "query":
            who = one.add_mutually_exclusive_group(required=True)
            for number in ("citizen-id", "uscc", "key"):
                who.add_argument(f"--{number}", default="")
        else:
            one.add_argument(
                "--subjects", type=Path, required=True, help='lines of JSON such as {"citizen_id": "…"}'
            )

    subscribe = acts.add_parser("subscribe", help="follow the changes of a granted register")
    subscribe.add_argument("what", choices=["make", "list", "follow", "replay", "end"])
    subscribe.add_argument("subscription", type=int, nargs="?", default=0, help="its number")
    subscribe.add_argument("--grant", type=int, default=0, help="for make: under which grant")
    subscribe.add_argument("--webhook", default="", help="for make: push to this https address")
    subscribe.add_argument(
        "--batch", type=int, default=100, help="for make: events in one push; 1 sends them singly"
    )
    subscribe.add_argument("--after", type=int, help="for make and replay: behind which position")

    bulk = acts.add_parser("bulk", help="download everything under a grant, in parts; run again to go on")
    bulk.add_argument("--grant", type=int, required=True)
    bulk.add_argument("--format", choices=["parquet", "csv", "arrow"], default="parquet")
    bulk.add_argument("--fields", default="", help="only these, separated by commas")
    bulk.add_argument("--out", type=Path, required=True, help="folder to write into")

    log = acts.add_parser("log", help="show this node's own log, or check that nothing in it was changed")
    log.add_argument("--check", action="store_true")

    serve = acts.add_parser("serve", help="answer the base's signed questions from this department's data")
    serve.add_argument(
        "--adapter", type=Path, action="append", required=True, help="declared adapter; repeat it"
    )
    serve.add_argument("--public", required=True, help="the address by which the base calls this node")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=int, default=8381, help="port to listen on")


def _cite(one: argparse.ArgumentParser) -> None:
    """What every call cites: matter, law and case."""
    one.add_argument("--resource", required=True, help="resource code")
    one.add_argument("--fields", required=True, help="which, separated by commas")
    one.add_argument("--matter", default="", help="the matter it is for; empty for other duties")
    one.add_argument("--basis", required=True, help="law:article, such as pipl-2021:34")
    one.add_argument("--case", required=True, help="the case's number")
    one.add_argument("--purpose", default="", help="what for, when it is cited")
    one.add_argument("--grant", type=int, help="under which grant; chosen by the base otherwise")
