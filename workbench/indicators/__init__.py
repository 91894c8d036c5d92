"""Indicators: each exists once, as an update on a state (rule E9), and a registry says how a user calls it."""
