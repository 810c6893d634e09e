"""Sample pictures, friendly and hostile, and the addresses that serve them."""
