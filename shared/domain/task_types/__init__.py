"""One module for each task type, found by its file, with everything that belongs to the task type alone."""
