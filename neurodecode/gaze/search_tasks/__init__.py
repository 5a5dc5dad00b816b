"""Displays of the classic visual search tasks, and how asymmetric a searcher is in them."""

from neurodecode.gaze.search_tasks.tasks import SEARCH_TASKS, SearchTask

__all__ = ["SEARCH_TASKS", "SearchTask"]
