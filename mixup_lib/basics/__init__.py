"""What every room may use: checks, random numbers by purpose, late imports, progress bars."""
