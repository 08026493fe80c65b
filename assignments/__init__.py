"""Master notebooks of the assignments, with their variants and wrong answers."""
