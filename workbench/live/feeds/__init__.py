"""Feeds: stored bars in virtual time, files that appear in a folder, ticks."""
