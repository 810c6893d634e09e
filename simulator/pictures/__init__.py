"""Sample pictures, valid and hostile, and the views that serve them."""
