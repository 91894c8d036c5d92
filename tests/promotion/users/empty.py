"""Nothing is asked here."""
