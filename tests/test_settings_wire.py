"""Settings: which HTTP client carries the calls."""

from pathlib import Path

import pytest
from settings_builders import bad, good

from ingestor import assembly
from ingestor.settings.wire import LEAN_BEHIND_A_PROXY

PROXY = {"HTTPS_PROXY": "http://proxy.test:3128"}
ROUTES = """
[credential.acme]
api_key = "k"
base_url = "https://acme.test"

[[route]]
topic = "calls.*"
credential = "acme"
"""


@pytest.mark.parametrize("written", ["lean", "aiohttp"])
def test_the_wire_may_be_named(written: str) -> None:
    """Whatever the surroundings are."""
    assert assembly.wire(good({"TUNER_WIRE": written})).kind == written


def test_a_proxy_is_not_gone_around() -> None:
    """Whoever set it wants to see where we go; an address that it is not for is reached as ever."""
    lean = {"TUNER_WIRE": "lean"}

    assert bad(lean | PROXY) == {"TUNER_WIRE": LEAN_BEHIND_A_PROXY}
    assert good(lean | PROXY | {"NO_PROXY": ".usetuner.ai"}).tuner.wire == "lean"
    assert good(PROXY).tuner.wire == "auto"


def test_every_address_counts(tmp_path: Path) -> None:
    """A credential of the routes file may have one of its own."""
    file = tmp_path / "routes.toml"
    file.write_text(ROUTES)
    settings = {
        "TUNER_WIRE": "lean",
        "NO_PROXY": ".usetuner.ai",
        "INGESTOR_ROUTES_FILE": str(file),
    }

    assert bad(settings | PROXY) == {"TUNER_WIRE": LEAN_BEHIND_A_PROXY}
    assert good(settings).tuner.wire == "lean"
