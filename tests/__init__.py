"""The tests: a package, so that no installed package of the same name stands in its way."""
