"""The law: three pure functions over flat records, and nothing that knows a clock, a file, a network or a mode."""
