"""When records may go out after an outage was seen."""

from failtrace.storage import backoff
from failtrace.storage.gate import IN_VAIN, Gate


class Clock:
    """A clock that stands until it is moved: what is tested is the gate, not time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_few_faults_leave_it_open() -> None:
    """Single records that fail among others do not hold up the rest."""
    gate = Gate(Clock())
    for _ in range(IN_VAIN - 1):
        gate.fault(0.0)

    assert gate.room(16, 0) == 16


def test_an_outage_shuts_it_and_then_lets_a_probe_out() -> None:
    """After faults in a row nothing goes out for a while, then one record at a time; a success opens it."""
    clock = Clock()
    gate = Gate(clock)
    for _ in range(IN_VAIN):
        gate.fault(5.0)

    assert gate.room(16, 0) == 0
    clock.now += 5.0 + backoff.MOST_S
    assert gate.room(16, 0) == 1
    assert gate.room(16, 1) == 0
    assert gate.success()
    assert gate.room(16, 3) == 16
    assert not gate.success()


def test_old_answers_do_not_lengthen_an_outage() -> None:
    """What was in flight when it shut says nothing new."""
    clock = Clock()
    gate = Gate(clock)
    for _ in range(IN_VAIN + 100):
        gate.fault(1.0)
    clock.now += 1.0 + backoff.FIRST_S

    assert gate.room(16, 0) == 1


def test_the_wait_grows_to_a_limit_and_is_never_shorter_than_asked() -> None:
    """Full jitter below a ceiling that stays bounded after any number of attempts."""
    assert all(0 <= backoff.backoff(attempts) <= backoff.MOST_S for attempts in range(200))
    assert max(backoff.backoff(0) for _ in range(200)) <= backoff.FIRST_S
    assert backoff.backoff(3, least_s=90.0) == 90.0
