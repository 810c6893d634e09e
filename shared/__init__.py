"""What both processes need: no web framework, no provider SDK."""
