"""The command line: parses arguments, prints, chooses the exit status; nothing else prints.

Each command imports what it needs, so that `--help` stays quick.
"""

from cds.cli.main import main


__all__ = ["main"]
