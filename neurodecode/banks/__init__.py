"""Banks of millions of embeddings, of pictures or captions, that decoded ones are sought in."""

from neurodecode.banks.bank import Bank
from neurodecode.banks.build import BankOptions, build_bank
from neurodecode.banks.searcher import search

__all__ = ["Bank", "BankOptions", "build_bank", "search"]
