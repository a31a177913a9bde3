"""Decides which proxy a request goes through."""

import ipaddress
from collections.abc import Mapping
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

from yarl import URL


def proxies_in(environ: Mapping[str, str]) -> Mapping[str, str]:
    """Find the proxies that *environ* names, by scheme, as `urllib.request.getproxies` finds those
    of this process: the name in lower case wins, and an empty value there means none.
    """
    named = sorted(environ.items(), key=lambda entry: entry[0].endswith("_proxy"))
    found = {
        name.lower().removesuffix("_proxy"): proxy
        for name, proxy in named
        if name.lower().endswith("_proxy") and (proxy or name.endswith("_proxy"))
    }
    return {scheme: proxy for scheme, proxy in found.items() if proxy}


def proxy_for(url: URL, proxies: Mapping[str, str]) -> str | None:
    """Choose from *proxies*, by scheme, for *url*; hosts that `no` lists are reached without one.

    So is this machine: a proxy elsewhere has nothing to reach here, and would be told a key that
    was meant to stay.
    """
    proxy = proxies.get(url.scheme)
    if not proxy or _is_here(url) or proxy_bypass_environment(url.authority, dict(proxies)):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_here(url: URL) -> bool:
    host = (url.host or "").removesuffix(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
