"""Whatever the pieces in which a broker's answers come, each is handed over whole, and once."""

import asyncio
import gc
import socket
import threading
from collections.abc import Sequence
from typing import cast

import pytest
from aiokafka.errors import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from ingestor.devkit.embedded_broker import EmbeddedBroker
from ingestor.edge.kafka_frames import BELIEVED_BYTES, Frames, begin
from ingestor.edge.kafka_wire import Wire


def packed(frame: bytes) -> bytes:
    """Write *frame* behind its size."""
    return len(frame).to_bytes(4, "big") + frame


def feed(frames: Frames, data: bytes) -> None:
    """Write *data* where it is wanted, as a loop does."""
    while data:
        buffer = frames.get_buffer(-1)
        count = min(len(buffer), len(data))
        buffer[:count] = data[:count]
        buffer.release()
        frames.buffer_updated(count)
        data = data[count:]


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=8), st.data())
def test_frames_come_whole_however_they_are_cut(
    frames: Sequence[bytes], data: st.DataObject
) -> None:
    """Sizes are cut too."""
    text = b"".join(map(packed, frames))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=20)))
    taken: list[bytearray] = []

    async def read() -> None:
        reader = asyncio.StreamReader()
        stream = asyncio.StreamReaderProtocol(reader)
        whole = Frames(stream, reader, taken.append)
        for first, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            feed(whole, text[first:end])

    asyncio.run(read())
    assert taken == list(frames)


async def test_a_size_is_believed_up_to_a_bound() -> None:
    """What is larger takes the memory that it needs, and not what it says."""
    reader = asyncio.StreamReader()
    taken: list[bytearray] = []
    frames = Frames(asyncio.StreamReaderProtocol(reader), reader, taken.append)
    frame = bytes(range(256)) * (BELIEVED_BYTES // 256 * 2 + 1)

    feed(frames, packed(frame)[:-1])
    assert len(frames.get_buffer(-1)) == 1
    assert taken == []
    feed(frames, frame[-1:])
    assert taken == [frame]
    feed(frames, (2**31 - 1).to_bytes(4, "big"))
    assert len(frames.get_buffer(-1)) == BELIEVED_BYTES


async def test_behind_what_cannot_be_taken_nothing_is() -> None:
    """What comes next would be taken for the answer to another request."""
    taken: list[bytearray] = []

    def take(frame: bytearray) -> None:
        taken.append(frame)
        raise ValueError("nonsense")

    reader = asyncio.StreamReader()
    feed(Frames(asyncio.StreamReaderProtocol(reader), reader, take), packed(b"a") + packed(b"b"))

    assert taken == [b"a"]
    with pytest.raises(ValueError, match="nonsense"):
        await reader.readexactly(4)


async def test_an_answer_to_nobody_is_left(broker: EmbeddedBroker) -> None:
    """A connection may be gone before the last bytes that it got are read."""
    host, port = broker.bootstrap_servers.split(":")
    wire: Wire | None = Wire(host, int(port))
    assert wire is not None
    _, writer = await wire.connect()
    frames = writer.transport.get_protocol()
    await wire.close()
    wire = None
    gc.collect()

    feed(cast("Frames", frames), packed(b"late"))


def answer(server: socket.socket, what: bytes) -> None:
    """Answer whoever asks with *what* and no more, and wait until it hangs up."""
    connection, _ = server.accept()
    with connection:
        connection.recv(1)
        connection.sendall(what)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(2**16):
            pass


ANSWERS = {
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "nothing": bytes(4),
    "less than nothing": b"\xff\xff\xff\xff",
    "too short": packed(b"x"),
    "another": packed(b"x" * 70_000),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_who_is_no_broker_ends_the_connection(name: str) -> None:
    """As it would with aiokafka's own way to read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
            tasks.create_task(asyncio.to_thread(answer, server, ANSWERS[name]))
            wire = Wire(*server.getsockname())
            with pytest.raises(KafkaError):
                await wire.connect()
            assert not wire.connected()


def swallow(server: socket.socket, reads: threading.Event, size: int) -> None:
    """Read *size* bytes from whoever comes, but nothing before *reads*."""
    connection, _ = server.accept()
    with connection:
        reads.wait(10)
        while size > 0:
            size -= len(connection.recv(2**16))


async def test_who_writes_faster_than_a_broker_reads_waits_for_it() -> None:
    """Letters of many megabytes are not to stand in memory once more."""
    flood, reads = bytes(32 * 2**20), threading.Event()
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
            tasks.create_task(asyncio.to_thread(swallow, server, reads, len(flood)))
            reader = asyncio.StreamReader()
            stream = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.create_connection(lambda: stream, *server.getsockname())
            begin(Frames(stream, reader, lambda _frame: None), transport)
            writer = asyncio.StreamWriter(transport, stream, reader, loop)
            writer.write(flood)
            draining = tasks.create_task(writer.drain())
            await asyncio.sleep(0)  # until it waits, if it does
            waited = not draining.done()
            reads.set()
            await draining
            writer.close()
            await writer.wait_closed()

    assert waited
