"""CDS Hooks 2.0, statement by statement."""
