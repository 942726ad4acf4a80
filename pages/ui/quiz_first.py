"""The quiz that the start page offers; apart from all that draws one, which takes seconds to import."""

FIRST_QUIZ = {"quiz": "tuberculosis", "seed": "1", "cases": "5", "level": "easy"}
"""Query parameters of the link to it."""
