"""Master notebooks of the assignments, with their variants and wrong answers.

``tools.assignments`` reads what lies here; nothing here imports anything of ``tools``.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
