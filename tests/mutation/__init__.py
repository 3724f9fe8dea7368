"""Mutation score of the modules that grade, dose and dispose: `python -m tests.mutation`."""
