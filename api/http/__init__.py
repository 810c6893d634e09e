"""HTTP, without Flask: requests are read into values, values are written as responses."""
