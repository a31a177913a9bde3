"""The `fake-tuner` command: a Tuner to practise on, until it is told to stop."""

import asyncio
import signal
import ssl
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from ingestor.devkit.fake_tuner import FakeTuner, Latency, Options, Rule, Unusable, read_rules
from ingestor.devkit.fake_tuner.options import DEMO_KEY, Auth, Duplicates, Profile, Workspaces

_LOST = 1
_UNUSABLE = 2


_Host = Annotated[str, typer.Option(help="Address to listen on.")]
_Port = Annotated[
    int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
]
_Profile = Annotated[
    Profile,
    typer.Option(
        help="Which generation of Tuner's reference judges a call: the current one, the strict one "
        "of February 2026, or the legacy one that takes {role, content} without timing."
    ),
]
_Auth = Annotated[
    Auth, typer.Option(help="Which header may carry the API key: Bearer, X-API-Key, or both.")
]
_Keys = Annotated[
    list[str] | None,
    typer.Option(
        help="An API key to accept, for all workspaces or, as KEY=1,2, for these. May be given "
        "several times.",
        show_default=DEMO_KEY,
    ),
]
_Agents = Annotated[
    list[str] | None,
    typer.Option(
        help="An Agent ID to know; calls of others get 404. May be given several times.",
        show_default="any",
    ),
]
_Duplicates = Annotated[
    Duplicates,
    typer.Option(
        help="What a known call_id gets: status 409, or 200 with is_new false. It is never stored "
        "twice."
    ),
]
_LatencyMs = Annotated[float, typer.Option(min=0, help="Median time that serving a request takes.")]
_LatencySpread = Annotated[
    float,
    typer.Option(
        min=0,
        help="How far times stray from the median: 0 not at all; with 0.7 one request in six takes "
        "more than twice as long.",
    ),
]
_Capacity = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Requests served at once; those above wait in line.",
        show_default="no limit",
    ),
]
_KeepBodies = Annotated[
    int | None,
    typer.Option(
        min=0, help="How many of the newest calls stay in memory whole.", show_default="all"
    ),
]
_Faults = Annotated[
    Path | None,
    typer.Option(
        help="JSON file of faults to come, for example "
        '`[{"kind": "dice", "share": 0.1, "fault": {"kind": "reply", "status": 503}}]`.'
    ),
]
_TlsCert = Annotated[
    Path | None, typer.Option(help="Certificate (PEM) to serve https with; needs --tls-key.")
]
_TlsKey = Annotated[Path | None, typer.Option(help="Private key (PEM) of the certificate.")]


def fake_tuner(
    *,
    host: _Host = "127.0.0.1",
    port: _Port = 8080,
    profile: _Profile = "current",
    auth: _Auth = "both",
    key: _Keys = None,
    agent: _Agents = None,
    duplicates: _Duplicates = "409",
    latency_ms: _LatencyMs = 0.0,
    latency_spread: _LatencySpread = 0.0,
    capacity: _Capacity = None,
    keep_bodies: _KeepBodies = None,
    faults: _Faults = None,
    tls_cert: _TlsCert = None,
    tls_key: _TlsKey = None,
) -> None:
    """Stand in for Tuner on this machine, with faults on demand.

    What arrived is shown under /_standin/calls, /_standin/requests and /_standin/summary; more
    faults can be posted to /_standin/faults.
    """
    options = Options(
        keys=dict(map(_read_key, key or [DEMO_KEY])),
        agents=frozenset(agent) if agent else "any",
        profile=profile,
        auth=auth,
        duplicates=duplicates,
        latency=Latency(latency_ms / 1000, latency_spread),
        capacity=capacity,
        keep_bodies=keep_bodies,
        faults=() if faults is None else _read_faults(faults),
        tls=_read_tls(tls_cert, tls_key),
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(FakeTuner(options), host, port))


async def _serve(tuner: FakeTuner, host: str, port: int) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    try:
        async with tuner.serve(host, port):
            typer.echo(f"The fake Tuner listens on {tuner.url}")
            await told_to_stop.wait()
    except OSError as error:
        raise _end(_LOST, f"cannot listen on {host}:{port}: {error.strerror}") from error


def _read_key(text: str) -> tuple[str, Workspaces]:
    key, separator, workspaces = text.rpartition("=")
    if not separator:
        return text, "any"
    try:
        return key, frozenset(map(int, workspaces.split(",")))
    except ValueError:
        # Keys may end in =, as base64 does: without numbers behind it, it is part of the key.
        return text, "any"


def _read_faults(path: Path) -> tuple[Rule, ...]:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _end(_UNUSABLE, f"{path}: {error.strerror}") from error
    match read_rules(text):
        case Unusable(problems):
            raise _end(_UNUSABLE, *(f"{path}: {problem}" for problem in problems))
        case rules:
            return rules


def _read_tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        raise _end(_UNUSABLE, "--tls-cert and --tls-key go together: give both or neither")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(cert, key)
    except OSError as error:
        raise _end(_UNUSABLE, f"{cert}, {key}: {error.strerror or error}") from error
    return context


def _end(code: int, *lines: str) -> typer.Exit:
    for line in lines:
        typer.echo(line, err=True)
    return typer.Exit(code)
