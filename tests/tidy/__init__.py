"""Tests that read the source: the house rules of the design, held by machine.

Each check is a function from a source to a list of complaints. A test runs it over the project and expects none;
another runs it over a small bad snippet and expects some, so that no check is one that cannot fail.
"""
