"""Cost models: what trading costs, as dated data (rules F10 and N4).

``none``, ``bps``, ``zerodha_equity``, ``alpaca_equity`` and ``oanda_fx`` make a ``CostModel``. The tables behind them
carry their source and the date they were verified on; the arithmetic is ``workbench.engine.costs.charges_of``.
"""

from __future__ import annotations

from workbench.costs.alpaca import alpaca_equity
from workbench.costs.fill import Charges
from workbench.costs.model import CostModel, Rates, Schedule
from workbench.costs.oanda import oanda_fx
from workbench.costs.simple import bps, none
from workbench.costs.zerodha import zerodha_equity

__all__ = ["Charges", "CostModel", "Rates", "Schedule", "alpaca_equity", "bps", "none", "oanda_fx", "zerodha_equity"]
