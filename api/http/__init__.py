"""HTTP without Flask: requests are parsed into values, values are rendered as responses."""
