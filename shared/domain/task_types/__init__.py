"""One module for each task type: all that is particular to it. A new one is found by its file."""
