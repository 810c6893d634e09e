"""The providers: one vendor a file, behind one small protocol."""
