"""Readers of listening experiments, one file per published layout."""

from neurodecode.datasets.auditory.base import AUDITORY, AuditoryReader
from neurodecode.datasets.auditory.dtu import Dtu, DtuPreprocessed
from neurodecode.datasets.auditory.kul import Kul
from neurodecode.datasets.auditory.nju import Nju
from neurodecode.datasets.auditory.raw import RawTrials
from neurodecode.datasets.auditory.sparrkulee import SparrKULee
from neurodecode.datasets.auditory.vlaai import Vlaai

__all__ = [
    "AUDITORY",
    "AuditoryReader",
    "Dtu",
    "DtuPreprocessed",
    "Kul",
    "Nju",
    "RawTrials",
    "SparrKULee",
    "Vlaai",
]
