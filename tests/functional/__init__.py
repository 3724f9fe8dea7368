"""HTTP in, JSON out: what the service promises to its callers."""
