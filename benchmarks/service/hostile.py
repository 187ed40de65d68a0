"""Every kind of hostile client at once, each at an address of its own, until the process is ended.

    python -m benchmarks.service.hostile PORT ROW_AS_JSON

They keep half-open connections, send bodies byte by byte, bodies that are too large, 240,000 empty earlier rows, 1,000
valid ones, values in unusual notations, wrong keys and pipelined floods. The number of responses by kind and status is
printed after each.
"""

import asyncio
import json
import logging
import sys
from collections import Counter

from benchmarks.service.honest import request


async def misuse(port: int, row: dict) -> None:
    """Be every kind of hostile client until the process is ended; print the number of responses by kind and status."""
    answers: Counter[str] = Counter()
    addresses = (f"127.0.0.{number}" for number in range(2, 250))

    async def again(name: str, source: str, parts: list[bytes], pause: float, stay: float) -> None:
        while True:
            status = "no answer"
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
                for part in parts:
                    writer.write(part)
                    await asyncio.sleep(pause)
                answer = await asyncio.wait_for(reader.read(200), stay)
                status = answer[9:12].decode() or "closed"
                writer.close()
            except (OSError, TimeoutError):
                pass
            answers[f"{name}: {status}"] += 1
            print(json.dumps(answers), flush=True)
            await asyncio.sleep(0.1)

    empty = json.dumps({**row, "earlier_rows": [{}] * 240_000}).encode()
    key = next(name for name in row if name.endswith("_id"))
    many = json.dumps({**row, "earlier_rows": [{**row, key: 10**9 + number} for number in range(1_000)]}).encode()
    unusual = json.dumps({name: f" {value} " for name, value in row.items()}).encode()
    get = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    slow = request(b" " * 1_000)
    kinds = {
        "half-open": (300, [b""], 0.0, 60.0),
        "half a head": (100, [b"POST /score HTTP/1.1\r\nX-A"], 0.0, 60.0),
        "byte by byte": (20, [slow[i : i + 1] for i in range(len(slow))], 0.5, 60.0),
        "half a body": (50, [slow[:-500]], 0.0, 60.0),
        "too large": (2, [request(b"[" * 5_000_000)], 0.0, 10.0),
        "240,000 empty earlier rows": (4, [request(empty)], 0.0, 30.0),
        "1,000 earlier rows": (1, [request(many)], 0.0, 30.0),
        "unusual notations": (2, [request(unusual)], 0.0, 10.0),
        "wrong key": (10, [request(b"{}", key="guess")], 0.0, 10.0),
        "pipelined": (2, [get * 1_000], 0.0, 10.0),
    }
    await asyncio.gather(
        *(
            again(name, source, parts, pause, stay)
            for name, (number, parts, pause, stay) in kinds.items()
            for source in [next(addresses)]
            for _ in range(number)
        )
    )


if __name__ == "__main__":
    # A connection that the service closes is what these clients are there for.
    logging.disable()
    asyncio.run(misuse(int(sys.argv[1]), json.loads(sys.argv[2])))
