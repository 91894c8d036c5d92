"""Seeded simulation of the runner under faults, an oracle that shares no code with it, and a list of injected bugs."""
