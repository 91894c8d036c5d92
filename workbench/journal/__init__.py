"""What happened, durably: tables, transactions, the hash chain."""
