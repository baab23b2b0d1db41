"""A serving process of the exchange to be killed or to be told that a key is revoked: run as a program, told by its arguments.

    exchange_victim.py DSN DATA KEY.json die MOMENT NTH   three calls, kill -9 at the NTH time that MOMENT is reached
    exchange_victim.py DSN DATA KEY.json keep             calls until its key is refused

Every answer that it got is a line on its output: what has been seen outside the database.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from exchange_town import BASE, MOTHER, tiny_city

from dizuo.engines.exchange.delivery import Call, Caller, Exchange, Subject, failpoints
from dizuo.foundation.kernel.clock_source import SystemNow
from dizuo.foundation.signing import PrivateKey, SigningKeyEnded, sign_request
from dizuo.foundation.store import open_pool


def say(**facts: object) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)


async def one_call(exchange: Exchange, key: PrivateKey, case: str) -> None:
    url = f"{BASE}/data/exchange/v1/query"
    sent = sign_request(key, "POST", url, now=int(exchange.now().timestamp()), body=b"{}")
    say(sent=dict(sent.headers), case=case)
    caller: Caller = await exchange.admit("POST", url, sent.headers, b"{}")
    call = Call(
        "query", "R/person", "newborn", "social:58", case, ("name",), (Subject(0, "citizen_id", MOTHER),)
    )
    answer = await exchange.call(caller, call)
    record = answer.results[0].records[0]
    say(entry=record.entry, name=record.fields["name"].value, case=case)


async def main() -> None:
    dsn, data, file, what = sys.argv[1:5]
    pool = await open_pool(dsn, min_size=1, max_size=2)
    exchange = Exchange(pool, tiny_city(), Path(data), SystemNow())
    key = PrivateKey.from_jwk(json.loads(Path(file).read_text()))
    if what == "die":
        moment, nth = sys.argv[5], int(sys.argv[6])
        seen = 0

        async def die(reached: str) -> None:
            nonlocal seen
            seen += reached == moment
            if reached == moment and seen == nth:
                os.kill(os.getpid(), signal.SIGKILL)

        failpoints.arm(die)
        for n in range(3):
            await one_call(exchange, key, f"{moment}-{n}")
        return
    while True:
        try:
            await one_call(exchange, key, f"keep-{os.getpid()}")
        except SigningKeyEnded:
            say(ended=True)
            return


if __name__ == "__main__":
    asyncio.run(main())
