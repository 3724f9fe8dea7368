"""The spool: complete files or none, for their owner alone, put back once, none blocks another."""

import stat
from pathlib import Path

import pytest

from cds.store import DecisionRow, Spool, SpoolDown, SpoolFull, Store, StoreDown, StoreRefused
from cds.store.spool import SET_ASIDE
from tests.store.rows import NOW, answer, decision, uuid


class Recording:
    """A store that refuses decisions of some patients, and after some is down."""

    def __init__(self, refused: str = "", down_after: int = 99) -> None:
        self.refused = refused
        self.down_after = down_after
        self.ids: list[str] = []

    def record(self, decision: DecisionRow) -> None:
        if len(self.ids) >= self.down_after:
            raise StoreDown("locked")
        if decision.patient == self.refused:
            raise StoreRefused("no")
        self.ids.append(decision.id)


def kept(spool: Spool) -> list[Path]:
    return sorted(spool.path.glob("*.decision"))


def test_a_decision_comes_out_as_it_went_in(spool: Spool, store: Store) -> None:
    one = decision()
    spool.keep(one)

    assert (spool.drain(store).stored, list(store.decisions())) == (1, [one])


def test_folder_and_file_are_for_their_owner_alone(spool: Spool) -> None:
    spool.keep(decision())

    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in kept(spool)] == [0o600]


def test_the_oldest_decision_is_put_back_first(spool: Spool) -> None:
    times = {"c": 30, "a": 10, "b": 20}
    for name, minute in times.items():
        spool.keep(decision(name, evaluated_at=NOW.replace(minute=minute)))
    store = Recording()
    spool.drain(store)

    assert store.ids == [uuid(name) for name in "abc"]


def test_a_decision_that_is_stored_already_is_not_stored_again(spool: Spool, store: Store) -> None:
    store.record(decision())
    spool.keep(decision())
    spool.keep(decision())

    assert len(kept(spool)) == 1
    spool.drain(store)
    assert len(list(store.decisions())) == 1
    assert kept(spool) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-1],
        lambda content: content.replace(b"8.00", b"9.00"),
        lambda _: b"",
        lambda _: b"\xff\xfe",
    ],
    ids=["cut", "another number", "empty", "no text"],
)
def test_a_corrupt_file_is_set_aside_and_holds_up_no_other(spool: Spool, spoil: object) -> None:
    for minute, name in enumerate("abc"):
        spool.keep(decision(name, evaluated_at=NOW.replace(minute=minute)))
    bad = kept(spool)[0]
    bad.write_bytes(spoil(bad.read_bytes()))  # type: ignore[operator]
    store = Recording()
    drained = spool.drain(store)

    assert (drained.stored, drained.set_aside, drained.left) == (2, 1, 0)
    assert store.ids == [uuid("b"), uuid("c")]
    assert [file.name for file in (spool.path / SET_ASIDE).iterdir()] == [bad.name]
    assert (spool.state().waiting, spool.state().set_aside) == (0, 1)
    assert spool.drain(store).set_aside == 0


def test_a_decision_the_store_refuses_is_set_aside_too(spool: Spool) -> None:
    for name in "abc":
        spool.keep(decision(name, patient=name))
    store = Recording(refused="b")
    drained = spool.drain(store)

    assert (drained.stored, drained.set_aside) == (2, 1)
    assert set(store.ids) == {uuid("a"), uuid("c")}


def test_when_the_store_goes_down_again_the_rest_waits(spool: Spool) -> None:
    for name in "abcd":
        spool.keep(decision(name))
    drained = spool.drain(Recording(down_after=1))

    assert (drained.stored, drained.left) == (1, 3)
    assert len(kept(spool)) == 3


@pytest.mark.parametrize("limit", [{"max_files": 2}, {"max_bytes": 2500}], ids=["files", "bytes"])
def test_a_full_spool_says_so_and_keeps_what_it_has(tmp_path: Path, limit: dict[str, int]) -> None:
    spool = Spool(tmp_path / "spool", **limit)
    spool.keep(decision("a"))
    spool.keep(decision("b"))
    with pytest.raises(SpoolFull) as full:
        spool.keep(decision("c", patient="canary"))

    assert (full.value.code, full.value.status) == ("spool-full", 503)
    assert "canary" not in str(full.value)
    assert len(list(spool.path.iterdir())) == 2
    store = Recording()
    spool.drain(store)
    spool.keep(decision("c"))
    assert len(store.ids) == 2


def test_a_folder_that_cannot_be_made_is_a_spool_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolDown) as down:
        Spool(tmp_path / "file" / "spool").keep(decision())
    assert str(tmp_path) not in str(down.value)


def test_what_a_crash_left_half_written_is_never_read_and_counts_to_the_limit(
    tmp_path: Path,
) -> None:
    spool = Spool(tmp_path, max_files=2)
    (tmp_path / "20261121-x.writing").write_bytes(b"{")
    spool.keep(decision())
    store = Recording()

    assert (spool.drain(store).stored, spool.state().set_aside) == (1, 0)
    spool.keep(decision())
    with pytest.raises(SpoolFull):
        spool.keep(decision("another"))


def test_a_folder_that_is_not_there_is_an_empty_spool(spool: Spool) -> None:
    assert (spool.state().waiting, spool.state().bytes, spool.state().set_aside) == (0, 0, 0)
    assert spool.drain(Recording()).stored == 0
    assert not spool.path.exists()


def test_feedback_on_a_decision_in_the_spool_counts_once_it_is_put_back(
    spool: Spool, store: Store
) -> None:
    rems = decision().cards[0]
    rems = rems.__class__(
        uuid=rems.uuid, topic="REMSX", indicator="info", program="tecvayli-talvey-rems"
    )
    spool.keep(decision(cards=(rems,)))
    store.add_feedback([answer()], NOW)
    spool.drain(store)

    assert store.acknowledged("north", "p1", ["tecvayli-talvey-rems"], NOW)
