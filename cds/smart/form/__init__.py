"""The grading form: what is asked, what was answered, and what is stated from it."""
