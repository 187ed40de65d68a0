"""Progress is reported every few seconds with rate and time left, and not at all in short training."""

from ml_assets.core.training.progress import Pace, Progress


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def pace(rounds=100, rows=1000, begun=0):
    clock, logged = Clock(), []
    return clock, logged, Pace(logged.append, "refit", rounds, rows, begun, clock)


def test_short_training_reports_no_progress():
    clock, logged, watched = pace()
    for done in range(1, 5):
        clock.now += 1
        watched.round(done, dict)
    watched.round(5, dict, last=True)
    assert logged == []


def test_a_report_has_rate_and_time_left_of_the_rounds_since_the_last():
    clock, logged, watched = pace()
    clock.now += 5
    watched.round(10, lambda: {"logloss": [0.5] * 10})
    clock.now += 4
    watched.round(20, dict)
    clock.now += 6
    watched.round(30, dict)
    assert [(progress.round, progress.rows_per_second, progress.seconds_left) for progress in logged] == [
        (10, 2000.0, 45.0),
        (30, 2000.0, 35.0),
    ]
    assert logged[0].curve == {"logloss": [0.5] * 10}


def test_one_slow_round_does_not_determine_the_time_left():
    clock, logged, watched = pace()
    clock.now += 5
    watched.round(10, dict)
    clock.now += 17
    watched.round(11, dict)
    assert logged[1].seconds_left == 89 * 2.0


def test_rounds_of_an_earlier_run_do_not_count_for_the_rate():
    clock, logged, watched = pace(begun=50)
    clock.now += 10
    watched.round(60, dict)
    assert (logged[0].rows_per_second, logged[0].seconds_left) == (1000.0, 40.0)


def test_the_last_round_is_reported_when_others_were():
    clock, logged, watched = pace()
    clock.now += 5
    watched.round(10, dict)
    clock.now += 1
    watched.round(12, dict, last=True)
    watched.round(12, dict, last=True)
    assert [(progress.round, progress.seconds_left) for progress in logged] == [(10, 45.0), (12, 0.0)]


def test_the_line_has_round_metrics_rate_and_time_left():
    line = Progress(
        "early_stopping", 20, 500, {"logloss": [0.4, 0.31234], "aucpr": [0.1, 0.2]}, 1_234_567.8, 260.0
    ).line()
    assert (
        line
        == "early_stopping: round 20 of at most 500, logloss 0.3123, aucpr 0.2000, 1,234,568 rows/s, at most 4 min left"
    )
    assert Progress("refit", 1, 2, {}, 1.0, 7200.0).line().endswith("at most 2.0 h left")
    assert Progress("refit", 1, 2, {}, 1.0, 12.3).line().endswith("at most 12 s left")
