"""A proxy before a broker that alters what the broker sends, on its way."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from edge.hostile import Peer, serving

Change = Callable[[bytearray], None]
_LENGTH = struct.Struct(">i")
_BASE_OFFSET_TO_CHECKSUM = 17


class Alteration:
    """Alters a batch, which is known by its checksum, up to so many *times*; *done* is how often it
    did.
    """

    def __init__(self, batch: bytes, change: Callable[[bytearray, int], None], times: int) -> None:
        self._mark = batch[_BASE_OFFSET_TO_CHECKSUM : _BASE_OFFSET_TO_CHECKSUM + 4]
        self._change = change
        self._times = times
        self.done = 0

    def __call__(self, frame: bytearray) -> None:
        """Alter the batch if it is in *frame*."""
        found = frame.find(self._mark)
        if found >= 0 and self.done < self._times:
            self.done += 1
            self._change(frame, found - _BASE_OFFSET_TO_CHECKSUM)


def flip(position: int) -> Callable[[bytearray, int], None]:
    """Flip a bit of the byte at *position* in the batch."""

    def change(frame: bytearray, start: int) -> None:
        frame[start + position] ^= 1

    return change


@asynccontextmanager
async def altering(address: str, alter: Change) -> AsyncIterator[str]:
    """Serve the broker at *address* under another one, with each of its answers altered."""
    host, _, port = address.partition(":")
    ours = 0

    async def relay(peer: Peer) -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_forward(peer.reader, writer))
                tasks.create_task(answer(reader, peer))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def answer(reader: asyncio.StreamReader, peer: Peer) -> None:
        while True:
            length = await reader.readexactly(_LENGTH.size)
            frame = bytearray(await reader.readexactly(_LENGTH.unpack(length)[0]))
            # The broker names itself in its answers.
            frame = frame.replace(_name(host, int(port)), _name(host, ours))
            alter(frame)
            await peer.send(length, bytes(frame))

    async with serving(relay) as server:
        ours = server.port
        yield f"{host}:{ours}"


def _name(host: str, port: int) -> bytes:
    return struct.pack(">h", len(host)) + host.encode() + struct.pack(">i", port)


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while content := await reader.read(2**16):
        writer.write(content)
        await writer.drain()
    raise ConnectionResetError
