"""The environment says which requests go through a proxy."""

import json
import os
import subprocess
import sys

import pytest
from yarl import URL

from ingestor.edge.proxies import proxies_in, proxy_for
from ingestor.edge.requests import Wire
from ingestor.edge.tls import Tls

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("url", "proxies", "chosen"),
    [
        ("https://tuner.test/x", {}, None),
        ("https://tuner.test/x", {"https": PROXY}, PROXY),
        ("https://tuner.test/x", {"http": PROXY}, None),
        ("http://tuner.test/x", {"http": PROXY}, PROXY),
        ("https://tuner.test/x", {"https": ""}, None),
        ("https://tuner.test/x", {"https": "proxy.test:3128"}, PROXY),
        ("https://tuner.test/x", {"https": "http://u:p@proxy.test"}, "http://u:p@proxy.test"),
        ("https://tuner.test/x", {"https": PROXY, "no": "*"}, None),
        ("https://tuner.test/x", {"https": PROXY, "no": "other.test, .test"}, None),
        ("https://tuner.test/x", {"https": PROXY, "no": "uner.test"}, PROXY),
        ("https://tuner.test:8443/x", {"https": PROXY, "no": "tuner.test:8443"}, None),
        ("https://tuner.test:8443/x", {"https": PROXY, "no": "tuner.test:443"}, PROXY),
        ("https://TUNER.test/x", {"https": PROXY, "no": "tuner.TEST"}, None),
    ],
)
def test_a_proxy_is_chosen_by_scheme_and_host(
    url: str, proxies: dict[str, str], chosen: str | None
) -> None:
    """As curl and others read the same variables; a proxy without a scheme speaks plain HTTP."""
    assert proxy_for(URL(url), proxies) == chosen


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9:80", "[::1]", "localhost", "a.localhost."]
)
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    """Plain HTTP is allowed to loopback because nobody listens in between."""
    proxies = {"http": PROXY, "https": PROXY}

    assert proxy_for(URL(f"http://{host}/x"), proxies) is None
    assert proxy_for(URL(f"https://{host}/x"), proxies) is None


def test_the_proxies_are_those_of_the_environment() -> None:
    """Unless somebody names others."""
    script = (
        "import json; from ingestor.edge.tls import Tls; from ingestor.edge.requests import "
        "Wire; print(json.dumps(Wire(1, Tls(), 'x').proxies))"
    )
    said = {"HTTPS_PROXY": PROXY, "http_proxy": "http://plain.test", "NO_PROXY": "a,b"}
    done = subprocess.run(  # noqa: S603 - a script of our own
        [sys.executable, "-c", script],
        env={"PATH": os.defpath, **said},
        capture_output=True,
        check=True,
    )

    proxies = json.loads(done.stdout)
    assert proxies == {"https": PROXY, "http": "http://plain.test", "no": "a,b"}


@pytest.mark.parametrize(
    ("environ", "proxies"),
    [
        ({}, {}),
        ({"HTTPS_PROXY": PROXY, "PATH": "/bin"}, {"https": PROXY}),
        ({"https_proxy": "a", "HTTPS_PROXY": "b"}, {"https": "a"}),
        ({"HTTPS_PROXY": "b", "https_proxy": ""}, {}),
        ({"HTTPS_PROXY": "", "https_proxy": "a"}, {"https": "a"}),
        ({"HTTPS_PROXY": ""}, {}),
        ({"Https_Proxy": "b", "NO_PROXY": "x"}, {"https": "b", "no": "x"}),
    ],
)
def test_the_settings_see_the_proxies_that_the_wire_sees(
    environ: dict[str, str], proxies: dict[str, str]
) -> None:
    """The environment is read like urllib reads that of the process."""
    script = "import json, urllib.request as it; print(json.dumps(it.getproxies_environment()))"
    done = subprocess.run(  # noqa: S603 - a script of our own
        [sys.executable, "-c", script], env=environ, capture_output=True, check=True
    )

    assert proxies_in(environ) == proxies == json.loads(done.stdout)


def test_the_password_of_a_proxy_is_not_shown() -> None:
    """It stands in the address."""
    assert "secret" not in repr(Wire(1.0, Tls(), "x", {"https": "http://user:secret@proxy.test"}))
