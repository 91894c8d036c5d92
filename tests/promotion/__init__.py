"""Promotion: sound strategies pass all six stages, planted defects are caught at theirs."""
