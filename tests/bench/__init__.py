"""Speed measured against two comparisons; run as `python -m tests.bench`, never by pytest."""
