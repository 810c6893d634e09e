"""HTTP only: Flask and flask-smorest."""
