"""Decides whether the wire that was asked for leads to Tuner."""

from collections.abc import Iterable, Iterator, Mapping

from yarl import URL

from ingestor.edge.proxies import proxies_in, proxy_for
from ingestor.settings.draft import Draft
from ingestor.settings.problems import Problem

LEAN_BEHIND_A_PROXY = (
    "must not be lean where the environment names a proxy for Tuner's address: only aiohttp goes "
    "through one; choose auto or aiohttp, or name the host in NO_PROXY"
)


def broken_wire(draft: Draft, urls: Iterable[str], environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yield it when the lean wire is to reach one of *urls* past the proxy of *environ*.

    To go around a proxy that somebody has set on purpose would be worse than not to start.
    """
    proxies = proxies_in(environ)
    if draft.tuner.wire == "lean" and any(proxy_for(URL(url), proxies) for url in urls):
        yield draft.problem("TUNER_WIRE", LEAN_BEHIND_A_PROXY)
