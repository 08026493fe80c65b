"""Plausible wrong answers, one module per assignment: ``WRONG``, with the marks they must get."""
