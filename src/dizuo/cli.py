"""The `dizuo` command: check a city, run it, prove what it did.

Each command lives in `dizuo.commands`; this file only names them, so that `dizuo --help` starts at once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import sys
from pathlib import Path

from dizuo import __version__
from dizuo.commands import node_words
from dizuo.foundation.kernel.errors import DizuoError

ROOT = Path(__file__).resolve().parents[2]


def _day(text: str) -> dt.datetime:
    return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.timezone(dt.timedelta(hours=8)))


def parser() -> argparse.ArgumentParser:
    """The whole command line; every command is documented in docs/know/commands.md (a test holds them together)."""
    top = argparse.ArgumentParser(prog="dizuo", description="The digital base of a city (底座).")
    top.add_argument("--version", action="version", version=f"dizuo {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, text: str, module: str | None = None) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.set_defaults(module=module or name)
        return one

    def places(one: argparse.ArgumentParser) -> None:
        one.add_argument("--city", type=Path, default=ROOT / "cities" / "wuxi", help="the city's folder")
        one.add_argument(
            "--data", type=Path, default=Path(".dizuo"), help="where this installation keeps its data"
        )

    up = add("up", "check the city, start the database, fill the registers, serve the four doors")
    places(up)
    up.add_argument(
        "--people", type=int, default=20_000, help="residents of the demonstration city (first start only)"
    )
    up.add_argument("--seed", type=int, default=20_261_123, help="seed of the demonstration city")
    up.add_argument("--host", default="127.0.0.1", help="address to listen on")
    up.add_argument("--port", type=int, default=8000, help="port to listen on")
    up.add_argument("--workers", type=int, default=2, help="web processes")
    up.add_argument(
        "--public-url", default="", help="the address browsers use, when a proxy stands before this one"
    )
    up.add_argument("--quiet", action="store_true", help="no progress bars")

    check = add("check", "check cities' declarations; report every error with file, line and a fix")
    check.add_argument("cities", type=Path, nargs="*", default=[ROOT / "cities" / "wuxi"])
    check.add_argument("--no-examples", action="store_true", help="do not run the Given/When/Then examples")
    check.add_argument("--json", action="store_true", help="findings as JSON lines")

    schema = add("schema", "write the JSON Schemas of declarations, for editors")
    schema.add_argument("--out", type=Path, default=Path("schemas"), help="folder to write into")

    publishing = add("open-data", "publish the declared datasets through the gate", "open_data")
    places(publishing)
    publishing.add_argument("--dataset", default="", help="only this one")

    policy = add(
        "policy",
        "print the policy generated from the declarations; analyse its use; replay reads under another",
    )
    places(policy)
    policy.add_argument(
        "--analyse",
        action="store_true",
        help="what is granted and never used, needed by nothing, read in vain",
    )
    policy.add_argument(
        "--replay", action="store_true", help="decide the recorded reads under the policy of --against"
    )
    policy.add_argument("--against", type=Path, help="with --replay: the folder of the other city or version")
    policy.add_argument("--since", type=_day, help="first day, such as 2026-11-01 (default: 30 days ago)")
    policy.add_argument("--json", action="store_true", help="the report as JSON")

    policy_key = add(
        "policy-key", "make, list or revoke keys with which other systems ask policy", "policy_key"
    )
    places(policy_key)
    policy_key.add_argument("action", choices=["make", "list", "revoke"])
    policy_key.add_argument(
        "which", nargs="?", default="", help="who asks with it; for revoke a key's number"
    )
    policy_key.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    policy_key.add_argument("--why", default="", help="why a key is revoked")
    policy_key.add_argument("--days", type=int, default=365, help="how long a new key lives")

    exchange_key = add(
        "exchange-key",
        "register, list or revoke keys with which departments sign their calls; rotate the server's own",
        "exchange_key",
    )
    places(exchange_key)
    exchange_key.add_argument("action", choices=["add", "list", "revoke", "rotate"])
    exchange_key.add_argument(
        "which",
        nargs="?",
        default="",
        help="for add the department's id; for revoke a keyid; for rotate ed25519 or sm2-sm3",
    )
    exchange_key.add_argument("--jwk", type=Path, help="with add: file of the public key (JWK)")
    exchange_key.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    exchange_key.add_argument("--why", default="", help="why a key is revoked")
    exchange_key.add_argument("--since", type=_day, help="with add: first day of the key (default: now)")
    exchange_key.add_argument("--days", type=int, default=365, help="with add: how long the key lives")

    simulate = add("simulate", "write invented departments' deliveries (演示数据)")
    places(simulate)
    simulate.add_argument("--people", type=int, default=20_000)
    simulate.add_argument("--seed", type=int, default=20_261_123)
    simulate.add_argument("--out", type=Path, required=True, help="folder to write into")
    simulate.add_argument(
        "--cast", action="store_true", help="with the demonstration's named characters among the residents"
    )
    simulate.add_argument(
        "--day", type=dt.date.fromisoformat, help="day of the first delivery (default: today, less --days)"
    )
    simulate.add_argument("--days", type=int, default=0, help="daily deliveries after the first")
    simulate.add_argument(
        "--snapshots", action="store_true", help="with --days: full sources deliver everything every day"
    )
    simulate.add_argument("--workers", type=int, default=2, help="processes")

    load = add("load", "take a simulated folder through the lake into the registers (演示数据)")
    places(load)
    load.add_argument("folder", type=Path)

    lake = add("lake", "receive what departments deliver, and take it into the registers")
    places(lake)
    acts = lake.add_subparsers(dest="action", metavar="ACTION", required=True)
    receive = acts.add_parser("receive", help="receive a source's file")
    receive.add_argument("source")
    receive.add_argument("path", type=Path)
    receive.add_argument(
        "--period", type=dt.date.fromisoformat, required=True, help="last day that it speaks of"
    )
    receive.add_argument("--mode", choices=["full", "changes"], help="when it is not as declared")
    pull = acts.add_parser("pull", help="pull a source's table (address in DATA/secrets/source-<id>)")
    pull.add_argument("source")
    take = acts.add_parser("take", help="receive a folder that `dizuo simulate` made (演示数据)")
    take.add_argument("path", type=Path)
    take.add_argument("--until", type=dt.date.fromisoformat, help="only what arrives up to this day")
    take.add_argument("--after", type=dt.date.fromisoformat, help="only what arrives after this day")
    take.add_argument(
        "--tables", default="", help="a PostgreSQL to fill and pull the sources that are tables"
    )
    for name, text in (("release", "let a held delivery go on"), ("refuse", "refuse a delivery as a whole")):
        one = acts.add_parser(name, help=text)
        one.add_argument("delivery", type=int)
        one.add_argument("--by", required=True, help="the account or post that decides")
        one.add_argument("--why", required=True)
    go = acts.add_parser("run", help="read, standardise, check, link and publish everything received")
    go.add_argument("--memory", default="4GB", help="limit of each stage")
    go.add_argument(
        "--rebuild", action="store_true", help="make all golden records anew, not only those that changed"
    )
    go.add_argument(
        "--ready", action="store_true", help="when all is served, prepare for the deliveries of other days"
    )

    listed = add(
        "catalogue", "publish the catalogue of data resources, audit it, import a department's sheet"
    )
    places(listed)
    listed.add_argument("action", choices=["publish", "audit", "import"])
    listed.add_argument("file", type=Path, nargs="?", help="import: the sheet (XLSX, or CSV in UTF-8 or GBK)")
    listed.add_argument("--by", default="", help="import: who does it, for the ledger")
    listed.add_argument("--department", default="", help="import: whose the rows without a provider are")
    listed.add_argument("--report", type=Path, help="import: write the report of every row as CSV")

    there = add(
        "catalogue-node", "bind resources to the node of the department where they stay", "catalogue_node"
    )
    places(there)
    there.add_argument("action", choices=["bind", "stop", "list", "probe"])
    there.add_argument("resource", nargs="?", default="", help="resource code")
    there.add_argument("--address", default="", help="where the node answers: its --public")
    there.add_argument("--key", action="append", default=[], help="keyid that the node signs with; repeat it")
    there.add_argument(
        "--private",
        action="store_true",
        help="the address is in the departments' own network; http is allowed",
    )
    there.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    there.add_argument("--why", default="", help="why a node is asked no more")

    key = add("source-key", "make, list or revoke the keys with which departments push records", "source_key")
    places(key)
    key.add_argument("action", choices=["make", "list", "revoke"])
    key.add_argument("which", nargs="?", default="", help="a source's id; for revoke a key's number")
    key.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    key.add_argument("--note", default="", help="what the key is for")
    key.add_argument("--why", default="", help="why a key is revoked")
    key.add_argument("--days", type=int, default=365, help="how long a new key lives")

    harvest = add("harvest", "take datasets from other catalogues (CKAN, DCAT, CSV) into ours")
    places(harvest)
    harvest.add_argument("action", choices=["add", "stop", "start", "list", "show", "run"])
    harvest.add_argument(
        "source", nargs="?", default="", help="a source's id; run without one takes what is due"
    )
    harvest.add_argument("--kind", choices=["ckan", "dcat", "csv"], help="what the source speaks")
    harvest.add_argument("--url", default="", help="where it is; of a CKAN the portal's address")
    harvest.add_argument("--title", default="", help="what the source is called, shown with every dataset")
    harvest.add_argument("--licence", default="", help="licence of datasets that tell none")
    harvest.add_argument("--every", type=int, default=24, help="hours between two runs")
    harvest.add_argument(
        "--allow",
        action="append",
        default=[],
        help="a network that is not public and may be called, such as 10.1.0.0/16",
    )
    harvest.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    harvest.add_argument("--full", action="store_true", help="take everything, also when nothing changed")
    harvest.add_argument(
        "--accept-loss",
        action="store_true",
        help="take datasets offline also when most of the source is gone",
    )

    open_key = add("open-key", "make, list or revoke keys with which open catalogues are loaded", "open_key")
    places(open_key)
    open_key.add_argument("action", choices=["make", "list", "revoke"])
    open_key.add_argument(
        "which", nargs="?", default="", help="an organisation's id or *; for revoke a key's number"
    )
    open_key.add_argument("--by", default="", help="who does it, for the ledger: an account or a post")
    open_key.add_argument("--why", default="", help="why a key is revoked")
    open_key.add_argument("--days", type=int, default=365, help="how long a new key lives")

    verify = add("verify", "prove the ledger whole: find any altered, removed or reordered entry")
    places(verify)
    verify.add_argument(
        "--checkpoint", type=Path, help="a checkpoint kept elsewhere, to hold the ledger against"
    )
    verify.add_argument("--proof", type=Path, help="check one downloaded proof instead of the whole ledger")
    verify.add_argument(
        "--public-key",
        metavar="FILE|KEY",
        help="the verifier key to hold signatures against, when you kept it elsewhere; this installation's own otherwise",
    )

    verify.add_argument(
        "--witnesses",
        type=Path,
        help="a file of witnesses whose cosignatures are checked as well (C2SP tlog-policy)",
    )
    verify.add_argument(
        "--tsa",
        type=Path,
        help="certificate (PEM) of the time-stamp authority whose stamps are checked as well",
    )

    witness = add("witness", "watch ledgers and cosign their checkpoints; for somebody independent of them")
    witness.add_argument(
        "--state", type=Path, required=True, help="folder of its key and of what it has seen"
    )
    witness.add_argument("--name", required=True, help="the witness's name, such as audit.wuxi.example/w1")
    witness.add_argument(
        "--log",
        metavar="FILE|KEY",
        action="append",
        default=[],
        help="verifier key of a log to watch; repeat it",
    )
    witness.add_argument("--host", default="127.0.0.1", help="address to listen on")
    witness.add_argument("--port", type=int, default=8366, help="port to listen on")
    witness.add_argument("--key-only", action="store_true", help="print the witness's key and end")

    dispatch = add("dispatch", "push granted changes to departments' systems, beside a base that is up")
    places(dispatch)
    dispatch.add_argument("--places", type=int, default=32, help="how many consumers are spoken to at once")

    node_words.declare(
        add("node", "what a department installs: ask the base, and answer it from its own data")
    )

    forget = add(
        "forget", "erase what is personal in one person's old ledger entries and ended cases; proofs stay"
    )
    places(forget)
    forget.add_argument(
        "--subject", type=int, required=True, help="the person's identity number in the registers"
    )
    forget.add_argument(
        "--before",
        type=_day,
        required=True,
        help="entries made and cases ended before this day; at least three years ago",
    )
    forget.add_argument("--basis", required=True, help="the article that asks for it, such as pipl-2021:47")
    forget.add_argument("--case", required=True, help="the case in which it was decided")

    export = add("export", "write cases' history as XES or OCEL 2.0")
    places(export)
    export.add_argument("format", choices=["xes", "ocel"])
    export.add_argument("--out", type=Path, required=True, help="file to write")
    export.add_argument(
        "--since", type=_day, default=_day("2020-01-01"), help="first day, such as 2026-11-01"
    )

    doctor = add("doctor", "say what is installed, running and wrong")
    places(doctor)

    reset = add("reset", "stop the embedded database and delete this installation's data, to start over")
    places(reset)
    reset.add_argument("--yes", action="store_true", help="do not ask")
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one command; a DizuoError becomes its message and way out, exit code 2."""
    arguments = parser().parse_args(argv)
    module = importlib.import_module(f"dizuo.commands.{arguments.module}")
    try:
        return int(module.run(arguments))
    except DizuoError as error:
        print(f"dizuo {arguments.command}: {error.message}", file=sys.stderr)
        if error.fix:
            print(f"  fix: {error.fix}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
