"""Panels for a notebook: deploy from a cell, and look at what runs, live beside the research.

A panel that looks is fed by the page's own connection to the Jupyter server, so that a busy kernel changes nothing
about it and a kernel polls nothing. Where there is no such server (another editor, a printed notebook, papermill) it is
the table as it was when the cell ran, and says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.panels.opened import opened

if TYPE_CHECKING:
    from workbench.costs import CostModel
    from workbench.engine.fitting import AnyBars
    from workbench.live.client import Client
    from workbench.panels.account import EquityPanel
    from workbench.panels.form import DeployForm
    from workbench.panels.live import LivePanel
    from workbench.research.result import Result
    from workbench.strategy import Strategy

__all__ = ["deploy", "deployments", "equity", "exposure", "journal"]


def deploy(
    strategy: Strategy | Result,
    bars: AnyBars | None = None,
    costs: CostModel | None = None,
    initial_cash: float | None = None,
    start: Any = None,
    name: str = "",
    client: Client | None = None,
) -> DeployForm:
    """A form that shows the dry run of a deployment and deploys it when its button is pressed.

    Parameters
    ----------
    strategy : Strategy or Result
        What to trade. A result of ``wb.backtest`` brings its bars, costs and cash along.
    bars : Bars or mapping of str to Bars, optional
        History of each instrument; needed with a strategy.
    costs : CostModel, optional
        As in ``wb.backtest``.
    initial_cash : float, optional
        Sizing reference, money; as in ``wb.backtest``. It can be changed in the form.
    start : date, timestamp or str, optional
        Where decisions begin, as for ``Client.deploy``.
    name : str
        What to call it; the strategy's name by default. It can be changed in the form.
    client : Client, optional
        Of the database; by default the one that the command line uses.

    Returns
    -------
    DeployForm

    Raises
    ------
    ConfigError
        A strategy without bars, or neither a strategy nor a result.
    """
    from workbench.panels.asked import asked_of
    from workbench.panels.form import DeployForm

    return DeployForm(asked_of(strategy, bars, costs, initial_cash, start, name), client)


def deployments(client: Client | None = None) -> LivePanel:
    """What runs: state, position, last decision and money of each deployment, with what can be done.

    Parameters
    ----------
    client : Client, optional
        Of the database; by default the one that the command line uses.
    """
    from workbench.panels.live import LivePanel
    from workbench.panels.shown import deployments_table

    with opened(client) as one:
        return LivePanel("deployments", deployments_table(one), one)


def journal(name: str, client: Client | None = None) -> LivePanel:
    """What a deployment saw, decided and did, the newest first.

    Parameters
    ----------
    name : str
        Of the deployment.
    client : Client, optional
        Of the database; by default the one that the command line uses.

    Raises
    ------
    ConfigError
        There is no such deployment.
    """
    from workbench.panels.live import LivePanel
    from workbench.panels.shown import journal_table

    with opened(client) as one:
        return LivePanel("journal", journal_table(one, name), one, name)


def exposure(client: Client | None = None) -> LivePanel:
    """What all deployments hold together, by instrument.

    Parameters
    ----------
    client : Client, optional
        Of the database; by default the one that the command line uses.
    """
    from workbench.panels.live import LivePanel
    from workbench.panels.shown import exposure_table

    with opened(client) as one:
        return LivePanel("exposure", exposure_table(one), one)


def equity(name: str, client: Client | None = None) -> EquityPanel:
    """Equity and drawdown of a deployment with its entries and exits, as a plotly figure that grows.

    Parameters
    ----------
    name : str
        Of the deployment.
    client : Client, optional
        Of the database; by default the one that the command line uses.

    Raises
    ------
    ConfigError
        There is no such deployment.
    """
    from workbench.panels.account import EquityPanel

    return EquityPanel(name, client)
