"""`python -m cds.config` rewrites docs/configuration.md."""

from cds.config.document import PAGE, configuration_table


PAGE.write_text(configuration_table(), encoding="utf-8")
