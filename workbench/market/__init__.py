"""Bars, sessions and calendars: when a market trades and what it did."""
