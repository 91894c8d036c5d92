"""The runner: from a closed bar to an order, surviving anything between."""
