"""One vendor a file, behind one small protocol."""
