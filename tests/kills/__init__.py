"""Real SIGKILLs of the real process, on SQLite and PostgreSQL."""
