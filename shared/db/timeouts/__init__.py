"""The timeouts of a transaction: for getting a connection, for each statement, for a silent network, and in all."""
