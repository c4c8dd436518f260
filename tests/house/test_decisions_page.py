"""The page on totals, orders and prices runs, its commands too."""

from pathlib import Path

import pandas as pd
import pytest
from hemline import cli
from hemline.datasets import get_dataset
from page import run_page
from typer.testing import CliRunner


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "short.toml").write_text("[response]\niterations = 3\n")
    items = get_dataset("simulated_sales").metadata.item_ids
    pd.DataFrame({"article": items, "stock": 60}).to_csv("stock.csv", index=False)
    scope = run_page("decisions.md", ["--config", "short.toml"])
    order = pd.read_csv("runs/order/order.csv")
    assert tuple(order["article"]) == items
    assert (order["order"] % 1 == 0).all()
    assert order["order"].sum() > 0
    page = Path("runs/order/order.html").read_text()
    assert all(item in page for item in items)
    used, most = scope["tight"].used()["budget"]
    assert most - 20 <= used <= most
    plan = pd.read_csv("runs/plan/plan.csv")
    assert tuple(plan["article"].unique()) == items
    assert plan["price"].gt(0).all()
    rules = pd.read_csv("runs/plan/rules.csv").set_index("rule")
    assert list(rules.index) == ["plan", "no markdown", "same cut for all", "greedy per article"]
    page = Path("runs/plan/plan.html").read_text()
    assert all(item in page for item in items)
    assert scope["prices"].gain("no markdown").mean() > 0


def test_names_are_shown_as_they_are_and_run_nothing(tmp_path):
    import numpy as np
    from gluonts.model.forecast import SampleForecast
    from hemline.decisions import order_quantities
    from hemline.decisions.orders.page import write_order

    items = ("<script>alert(1)</script>", "=HYPERLINK(1)", "tee $5 & co")
    drawn = SampleForecast(np.full((9, 2, 3), 4.0), pd.Period("2024-01-01", "D"))
    plan = order_quantities(drawn, items, 0, service_level=0.9)
    page = write_order(plan, pd.date_range("2024-01-01", periods=2), 0, tmp_path)
    assert "<script>" not in page.read_text()
    assert "'=HYPERLINK(1)" in (tmp_path / "order.csv").read_text()


def test_a_plan_of_prices_shows_names_as_they_are_and_limits_that_it_does_not_keep(tmp_path):
    import numpy as np
    from hemline.decisions.markdowns.ladder import Schedules
    from hemline.decisions.markdowns.page import write_plan
    from hemline.decisions.markdowns.plan import Judged, MarkdownPlan
    from hemline.decisions.markdowns.report import PlanReport, read_plan
    from hemline.decisions.markdowns.terms import Terms

    items = ("<script>alert(1)</script>", "=HYPERLINK(1)")
    ones = np.ones(2)
    schedules = (Schedules((0, 1), 3),) * 2
    terms = Terms(items, 50 * ones, np.array([[10, 8.0]] * 2), 0 * ones, 0 * ones, ones, schedules, 5.0, 0.9, 3)
    sold = np.random.default_rng(0).poisson(4, size=(2, 3, 40)).astype(float)
    steps = np.array([[0, 1, 1], [0, 0, 0]])
    judged = {name: Judged(steps * (name == "plan"), sold, terms) for name in ("plan", "no markdown")}
    plan = MarkdownPlan(items, pd.date_range("2024-01-01", periods=3), terms, judged, ("price[a]: <b>never</b> seen",))
    page = write_plan(plan, tmp_path).read_text()
    told = read_plan(tmp_path)
    assert told == PlanReport.of(plan)
    assert [line.prices for line in told.lines] == [(10.0, 8.0, 8.0), (10.0, 10.0, 10.0)]
    assert [line.cuts for line in told.lines] == [(0.0, pytest.approx(0.2), pytest.approx(0.2)), (0.0, 0.0, 0.0)]
    assert told.marked_down == 1
    assert told.planned.worth == plan.comparison().set_index("rule").loc["plan", "worth"]
    assert "<script>" not in page
    assert "<b>never" not in page
    assert "keep the limit “clear”" in page
    assert "keep the limit “budget”" in page
    assert "“no markdown” is expected to be worth more than this plan" in page
    assert page.count("−20 %") == 2
    assert "'=HYPERLINK(1)" in (tmp_path / "plan.csv").read_text()


def test_a_table_of_stock_that_cannot_be_read_is_one_line(tmp_path):
    bad = {
        "article,stocks\na,1\n": "got 'stock'",
        "article,stock,price\na,1,2\n": "expected the columns article, stock, missing",
        "article,stock\na,1\na,2\n": "expected each article once, got 'a' twice",
        "article,stock\na,\n": "expected a number in 'stock' of every article, got none for 'a'",
        "article,stock\na,many\n": "expected finite numbers",
    }
    folder = tmp_path / "runs"
    folder.mkdir()
    for number, (text, message) in enumerate(bad.items()):
        file = tmp_path / f"{number}.csv"
        file.write_text(text)
        words = ["order", "--predictor", str(folder), "--dataset", "simulated_sales", "--stock", str(file)]
        done = CliRunner().invoke(cli.app, [*words, "--service-level", "0.9", "--out", str(tmp_path / "out")])
        assert done.exit_code != 0
        assert message in str(done.exception)
        assert str(done.exception).lstrip("'").startswith("stock")
        assert not (tmp_path / "out").exists()


def test_what_was_written_is_read_back_whole(tmp_path):
    import numpy as np
    from gluonts.model.forecast import SampleForecast
    from hemline.decisions import order_quantities
    from hemline.decisions.orders.page import write_order
    from hemline.decisions.orders.report import OrderReport, read_order

    items, dates = ("a", "=b", "<c>"), pd.date_range("2024-01-01", periods=3)
    samples = np.random.default_rng(0).poisson(5, (50, 3, 3))
    drawn = SampleForecast(samples, pd.Period("2024-01-01", "D"))
    costs = {"a": 2.0, "=b": 3.5, "<c>": 0.25}
    plan = order_quantities(drawn, items, 2, missing=3.0, left=1.0, budget=40, unit_cost=costs, lead_time=1)
    write_order(plan, dates, 1, tmp_path)
    told = read_order(tmp_path)
    assert told == OrderReport.of(plan, dates, 1)
    assert {line.article: line.order for line in told.lines} == dict(zip(items, plan.order, strict=True))
    assert told.purchase == sum(costs[item] * order for item, order in zip(items, plan.order, strict=True))
    assert (told.begins, told.arrives, told.last) == ("2024-01-01", "2024-01-02", "2024-01-03")
    assert [(limit.name, limit.most) for limit in told.limits] == [("budget", 40.0)]
    assert [line.order for line in told.lines] == sorted(plan.order, reverse=True)
    held = {item: float((np.maximum(2 - samples[:, 0, place], 0)).mean()) for place, item in enumerate(items)}
    assert {line.article: line.at_arrival for line in told.lines} == {
        name: pytest.approx(value) for name, value in held.items()
    }
