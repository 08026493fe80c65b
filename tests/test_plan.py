"""The plan for ImageNet: its arithmetic is what it says, and the page says what it computes."""

from dataclasses import replace

import pytest

from tools import course, plan


def test_a_plan_by_hand():
    """1,000 images at 10 a second, 300 to validate at 30 a second: 110 seconds an epoch."""
    inputs = plan.Inputs(
        images=1000,
        held_out=300,
        gigabytes=2,
        epochs=36,
        one=10,
        eight=60,
        scaling=0.5,
        evaluation=3,
        decoding=5,
        price=2,
        runs=3,
    )
    one = plan.plan(inputs, gpus=1, nodes=1)
    assert (one.epoch, one.hours, one.gpu_hours) == pytest.approx((110 / 60, 1.1, 1.1))
    assert (one.cost, one.all_cost, one.disk, one.cores) == pytest.approx((2.2, 6.6, 20, 2))
    four = plan.plan(inputs, gpus=32, nodes=4)
    assert four.speed == 60 * 4 * 0.5
    assert (four.disk, four.cores) == pytest.approx((60, 6))  # of each node
    assert four.cost == pytest.approx(four.hours * 64)


@pytest.mark.parametrize("changes", [{}, {"epochs": 90, "price": 1.0, "eight": 9000}])
def test_the_arithmetic_shown_gives_the_value_shown(changes):
    steps = plan.arithmetic(replace(plan.Inputs(), **changes))
    for what, how, value in steps:
        assert eval(how) == pytest.approx(value, rel=0.01), what
    assert len(steps) == 9


def test_what_the_page_concludes_still_follows():
    steps = {what: value for what, _, value in plan.arithmetic(plan.Inputs())}
    mixing = next(value for what, value in steps.items() if "to mix" in what)
    assert mixing < steps["ms per step in all"] / 100
    costs = [plan.plan(plan.Inputs(), *setup).cost for setup in plan.SETUPS]
    hours = [plan.plan(plan.Inputs(), *setup).hours for setup in plan.SETUPS]
    assert costs == sorted(costs) and hours == sorted(hours)[::-1]


def test_every_input_is_explained_and_has_an_option(capsys, monkeypatch):
    assert list(plan.MEANINGS) == [field.name for field in plan.fields(plan.Inputs)]
    monkeypatch.setattr("sys.argv", ["plan", "--price", "7.5", "--held-out", "123"])
    plan.main()
    told = capsys.readouterr().out
    assert "| `7.5` | US dollars" in told and "| `123` | validation" in told


def test_the_page_is_in_step():
    assert plan.block() in (course.ROOT / "book" / "scale.md").read_text(), "run `make sync`"


def test_decoding_is_measured():
    assert 1 < plan.measured_decoding(images=3) < 100_000
