"""Brokers behind one port; the embedded paper broker."""
