"""Plausible wrong answers and the marks that they must get, one module per assignment: ``WRONG``."""
