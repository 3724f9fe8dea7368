"""Against servers this project did not write; skipped, saying so, where one is missing."""
