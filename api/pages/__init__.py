"""The pages that people open in a browser, and the files that they load from here and from nowhere else."""
