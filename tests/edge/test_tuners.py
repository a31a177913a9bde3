"""Which wire is chosen."""

import pytest

from ingestor.edge.requests import Kind
from ingestor.edge.tuners import choose

FAR, NEAR = "https://tuner.test", "http://127.0.0.1:8000"
PROXIES = {"https": "http://proxy.test:3128", "http": "http://proxy.test:3128"}


@pytest.mark.parametrize(
    ("wish", "urls", "proxies", "kind"),
    [
        ("auto", [FAR], {}, Kind.LEAN),
        ("auto", [], PROXIES, Kind.LEAN),
        ("auto", [NEAR], PROXIES, Kind.LEAN),
        ("auto", [FAR], PROXIES | {"no": "tuner.test"}, Kind.LEAN),
        ("auto", [FAR], PROXIES, Kind.AIOHTTP),
        ("auto", [NEAR, FAR], PROXIES, Kind.AIOHTTP),
        ("aiohttp", [FAR], {}, Kind.AIOHTTP),
        ("lean", [FAR], {}, Kind.LEAN),
    ],
)
def test_the_lean_wire_is_taken_unless_a_proxy_is_in_the_way(
    wish: str, urls: list[str], proxies: dict[str, str], kind: Kind
) -> None:
    """Somebody may also say which."""
    assert choose(wish, urls, proxies) is kind
