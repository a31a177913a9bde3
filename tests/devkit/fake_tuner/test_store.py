"""Keeping calls."""

from devkit.fake_tuner.practice import call, write

from ingestor.devkit.fake_tuner.store import Store

BODY = write(call())


def test_a_call_is_new_once() -> None:
    """The second call of a key is the first one, with its body and its time."""
    store = Store("current")

    first, is_new = store.put((1, "a", "x"), BODY, now=1.0)
    again, is_new_again = store.put((1, "a", "x"), b"other", now=2.0)

    assert (is_new, is_new_again) == (True, False)
    assert again is first
    assert list(store) == [first]
    assert (first.id, first.body, first.received) == (1, BODY, 1.0)


def test_ids_count_from_one() -> None:
    """Ids increase in the order of acceptance, and begin anew in an empty store."""
    store = Store("current")
    assert [store.put((n, "a", "x"), BODY, now=0)[0].id for n in (7, 8)] == [1, 2]

    store.clear()

    assert store.put((7, "a", "x"), BODY, now=0)[0].id == 1
    assert len(store) == 1


def test_only_the_newest_bodies_are_kept() -> None:
    """Older calls lose their body and with it their normal form, and are still known."""
    store = Store("current", keep_bodies=2)
    for call_id in "abc":
        store.put((1, "a", call_id), BODY, now=0)

    assert [stored.body for stored in store] == [None, BODY, BODY]
    assert [stored.normalised is None for stored in store] == [True, False, False]
    assert store.put((1, "a", "a"), BODY, now=0)[1] is False


def test_no_body_at_all_may_be_kept() -> None:
    """With none to keep, what is put comes back without its body."""
    stored, is_new = Store("current", keep_bodies=0).put((1, "a", "a"), BODY, now=0)

    assert (stored.body, is_new) == (None, True)
