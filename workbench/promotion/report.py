"""The page that sums a promotion up: the verdict, each stage with its answers, and where its notebook lies."""

from __future__ import annotations

from workbench.promotion.given import Given
from workbench.promotion.verdict import Verdict


def report_html(verdict: Verdict, given: Given) -> str:
    """The page as text; what people wrote is escaped by the template.

    Parameters
    ----------
    verdict : Verdict
        What was found.
    given : Given
        What it is about.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("workbench", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    bars = [
        (name, f"{len(item):,} bars of {item.timeframe}, {item.index[0]:%Y-%m-%d} to {item.index[-1]:%Y-%m-%d}")
        for name, item in given.data.items()
    ]
    facts = [
        ("Strategy", verdict.strategy), ("Style", verdict.style), *bars, ("Costs", given.costs.name),
        ("Initial cash", f"{given.initial_cash:,.0f}"), ("Key", verdict.key),
    ]  # fmt: skip
    return environment.get_template("promotion.html.j2").render(
        verdict=verdict, facts=facts, source=given.subject.text, settings=given.settings.to_toml()
    )
