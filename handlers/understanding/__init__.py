"""Finds in free Korean and English text the rights that a person asks for.

Pure rules over clauses, no input or output at call time. Applying a right that nobody asked for is
the worst fault, so whatever is unsure comes back as a question.
"""

from subjectline.handlers.understanding.answers import read_answer
from subjectline.handlers.understanding.decide import Notes, understand
from subjectline.handlers.understanding.language import language_of
from subjectline.handlers.understanding.model import KINDS, Answer, Understanding, Veto, Wish
from subjectline.handlers.understanding.vocabulary import Vocabulary, default_vocabulary

__all__ = [
    "KINDS",
    "Answer",
    "Notes",
    "Understanding",
    "Veto",
    "Vocabulary",
    "Wish",
    "default_vocabulary",
    "language_of",
    "read_answer",
    "understand",
]
