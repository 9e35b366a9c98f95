from collections.abc import Callable

from engines.dispatch.window import Window


def trips(
    window: Window, count: int, latency: Callable[[int], float] = lambda size: 0.1, now: float = 0.0
) -> float:
    """Answer `count` full windows; return the time after them."""
    for _ in range(count):
        size = window.size
        started, now = now, now + latency(size)
        for _ in range(size):
            window.answered(now, started, window.size)
    return now


def test_window_starts_modestly() -> None:
    assert Window(256).size == 32
    assert Window(8).size == 8


def test_window_doubles_each_round_trip_up_to_its_most() -> None:
    window = Window(256)
    trips(window, 1)
    assert window.size in (62, 63, 64)
    trips(window, 5)
    assert window.size == 256


def test_window_that_is_not_used_does_not_grow() -> None:
    window = Window(256)
    for n in range(100):
        window.answered(n + 0.1, n, 3)
    assert window.size == 32


def test_window_stops_growing_where_answers_get_slow() -> None:
    """An endpoint with room for 64: beyond it calls queue."""
    window = Window(1024)
    trips(window, 40, latency=lambda size: 0.1 * max(1.0, size / 64))
    assert 64 <= window.size <= 300


def test_window_is_halved_once_a_round_trip() -> None:
    window = Window(256)
    for n in range(32):
        window.refused(1.0 + n / 1000, 0.0, 32)
    assert 16 <= window.size <= 22
    for n in range(16):
        window.refused(3.0 + n / 1000, 2.0, 16)
    assert 8 <= window.size <= 11


def test_window_grows_by_one_after_a_cut() -> None:
    window = Window(256)
    for n in range(32):
        window.refused(1.0 + n / 1000, 0.0, 32)
    size = window.size
    trips(window, 4, now=2.0)
    assert size + 3 <= window.size <= size + 5


def test_window_is_never_shut() -> None:
    window = Window(4)
    for n in range(20):
        window.refused(n + 1.0, n + 0.5, 4)
    assert window.size == 1


def test_refusals_at_random_leave_the_window_open() -> None:
    window = Window(64)
    for n in range(600):
        if n % 6:
            window.answered(n / 100 + 0.1, n / 100, 32)
        else:
            window.refused(n / 100 + 0.1, n / 100, 32)
    assert window.size >= 28


def test_latency_is_smoothed() -> None:
    window = Window(256)
    assert window.latency is None
    trips(window, 3)
    assert window.latency is not None
    assert abs(window.latency - 0.1) < 0.001
