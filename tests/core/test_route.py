"""Where a call goes."""

from builders import destination, route


def test_a_destination_is_its_address_and_the_name_of_its_key() -> None:
    """Two keys at one address are two destinations, and are written as such."""
    first, second = destination(credential="eu"), destination(credential="us")

    assert first != second
    assert str(first) == "eu@https://tuner.example.test"


def test_routes_are_equal_when_all_of_them_is() -> None:
    """What is known of a route is kept under it."""
    assert route() == route()
    assert len({route(), route(agent="x"), route(workspace="8"), route(is_configured=False)}) == 4
