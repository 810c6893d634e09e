"""The providers: one module for each kind, behind one small protocol."""
