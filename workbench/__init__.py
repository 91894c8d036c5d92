"""Workbench: research-to-live for trading strategies."""
