"""Why there is no report at all. What is wrong with one file or line is counted instead."""


class CannotReplay(Exception):
    """Nothing was evaluated, or the setting does not fit; one sentence with the next step."""
