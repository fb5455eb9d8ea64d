from snakepit.daemon.ticker import Duty, Ticker, run


def ticker(*duties: Duty) -> tuple[Ticker, list[str]]:
    failures: list[str] = []
    return Ticker(duties, failed=lambda name, error: failures.append(f"{name}: {error}")), failures


def test_each_duty_runs_at_its_own_interval() -> None:
    at: list[tuple[str, float]] = []
    often = Duty(name="often", step=lambda now: at.append(("often", now)), interval_s=1)
    seldom = Duty(name="seldom", step=lambda now: at.append(("seldom", now)), interval_s=10)
    subject, _ = ticker(often, seldom)
    for now in range(12):
        subject.run_due(float(now))
    assert [now for name, now in at if name == "often"] == [float(now) for now in range(12)]
    assert [now for name, now in at if name == "seldom"] == [0.0, 10.0]


def test_a_duty_that_raises_is_told_and_keeps_nobody() -> None:
    def fail(now: float) -> None:
        message = "no"
        raise OSError(message)

    ran: list[float] = []
    bad = Duty(name="bad", step=fail, interval_s=1)
    good = Duty(name="good", step=ran.append, interval_s=1)
    subject, failures = ticker(bad, good)
    subject.run_due(0.0)
    subject.run_due(1.0)
    assert failures == ["bad: no", "bad: no"]
    assert ran == [0.0, 1.0]


def test_a_late_turn_is_not_made_up_for() -> None:
    ran: list[float] = []
    subject, _ = ticker(Duty(name="x", step=ran.append, interval_s=1))
    for now in (0.0, 50.0, 50.5, 51.0):
        subject.run_due(now)
    assert ran == [0.0, 50.0, 51.0]


def test_hurry_makes_a_duty_due_and_never_later() -> None:
    subject, _ = ticker(Duty(name="x", step=lambda now: None, interval_s=100))
    subject.run_due(0.0)
    subject.hurry("x", 5.0, now=1.0)
    assert subject.pause(1.0) == 5.0
    subject.hurry("x", 90.0, now=1.0)
    assert subject.pause(1.0) == 5.0
    subject.hurry("unknown", now=1.0)
    assert subject.pause(1.0) == 5.0


def test_run_waits_until_the_next_turn_and_hurries_what_the_wait_names() -> None:
    ran: list[str] = []
    subject, _ = ticker(
        Duty(name="a", step=lambda now: ran.append("a"), interval_s=1000),
        Duty(name="b", step=lambda now: ran.append("b"), interval_s=1000),
    )
    waits: list[float] = []
    answers = iter([["b"], [], ["a"], ["stop"]])
    said: list[str] = []

    def wait(seconds: float) -> list[str]:
        waits.append(seconds)
        said[:] = next(answers)
        return said

    run(subject, wait, lambda: "stop" in said)
    assert ran == ["a", "b", "b", "a"]
    assert all(0 <= seconds <= 60 for seconds in waits)
