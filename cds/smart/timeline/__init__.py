"""What was charted of one patient over time: as values, as a drawing and as a table; no rule."""
