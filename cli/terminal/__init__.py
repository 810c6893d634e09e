"""How results look to people: tables, charts, progress, and words for numbers."""
