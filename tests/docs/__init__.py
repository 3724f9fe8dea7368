"""The documents at the root keep their word."""
