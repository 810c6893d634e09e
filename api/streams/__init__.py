"""Answers while they are made: the parts that workers send, read from Redis once for all who listen."""
