"""One module for each task type, with everything that belongs to it alone. A new module is found by itself."""
