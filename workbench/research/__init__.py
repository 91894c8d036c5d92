"""Research: backtests, statistics, plots and reports; it drives the engine over arrays and decides nothing itself."""
