"""Is what most people write, to race against: getmany, a semaphore, gather, commit the batch.

Reads KAFKA, TOPIC, GROUP, SLOTS, URL and CA_FILE from the environment.
"""

import asyncio
import json
import os
import ssl

import aiohttp
from aiokafka import AIOKafkaConsumer


async def main() -> None:
    """Post until the process is ended."""
    environ = os.environ
    slots = int(environ["SLOTS"])
    tls = ssl.create_default_context(cafile=environ["CA_FILE"]) if environ["CA_FILE"] else True
    consumer = AIOKafkaConsumer(
        environ["TOPIC"],
        bootstrap_servers=environ["KAFKA"],
        group_id=environ["GROUP"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    free = asyncio.Semaphore(slots)
    connector = aiohttp.TCPConnector(limit=0, ssl=tls)
    async with aiohttp.ClientSession(connector=connector) as http:

        async def post(value: bytes) -> None:
            async with free:
                while True:
                    body, key = json.loads(value), {"X-API-Key": "k"}
                    async with http.post(environ["URL"], json=body, headers=key) as answer:
                        await answer.read()
                    if answer.status == 201:
                        return
                    await asyncio.sleep(1)  # the pause that most people write

        while True:
            records = await consumer.getmany(timeout_ms=500, max_records=slots)
            works = [post(record.value) for batch in records.values() for record in batch]
            await asyncio.gather(*works)  # noqa: TID251  # what is raced against
            if records:
                await consumer.commit()


if __name__ == "__main__":
    asyncio.run(main())
