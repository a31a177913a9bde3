"""A member of a group in a process of its own: it tells every assignment as a line of JSON, and
leaves when its standard input ends.
"""

import asyncio
import json
import sys

from edge.members import Member

from ingestor.edge.kafka_connection import Connection
from ingestor.edge.kafka_consumer import Subscription


async def main(address: str, topic: str, group: str) -> None:
    """Read *topic* until nobody wants it any more."""
    member = Member(Connection(address, "test"), Subscription((topic,), group))
    told = 0
    over = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    while not over.done():
        await member.take()
        for starts in member.keeper.begun[told:]:
            told += 1
            print(json.dumps(sorted(name.number for name in starts)), flush=True)  # noqa: T201 - its output
    await member.source.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
