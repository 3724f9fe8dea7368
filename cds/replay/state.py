"""What one run has found so far; mutable, and filled by the readers of files."""

from collections import Counter
from collections.abc import Callable, Sequence

from cds.replay.agreeing import Assess, Compared, compare, statements
from cds.replay.as_of import Item
from cds.replay.judge import Judge, Setup
from cds.replay.known import is_plausible
from cds.replay.ledger import Ledger
from cds.replay.tally import Tally
from cds.replay.values import Row
from fhir_mapping import errors as mapping_errors


class State:
    """One run."""

    def __init__(self, setup: Setup, monotonic: Callable[[], float]) -> None:
        self.setup = setup
        self.ledger = Ledger()
        self.tally = Tally()
        self.judge = Judge(setup, self.tally, monotonic)
        self.compared: list[Compared] = []
        self.not_usable: Counter[str] = Counter()
        self.patients = 0
        self.evaluated_patients = 0
        self.evaluated_lines = 0
        self._compared_once: set[tuple[str, str, str]] = set()

    def compare_grades(
        self,
        items: Sequence[Item],
        patient: str,
        base: str | None,
        assess: Assess,
        row: Row | None = None,
    ) -> None:
        """Clinicians' grades of one patient, each once however many requests hold it."""
        if not items:
            return
        rules = self.setup.site.site_rules(self.setup.library.rules)
        try:
            found = statements(items, patient, base, rules, self.setup.codes)
        except mapping_errors.AnotherPatient:
            return  # refused as a moment, and counted there
        fresh = []
        for one in found:
            key = (patient, one.toxicity, one.evidence.ref)
            if key not in self._compared_once and is_plausible(one.at):
                self._compared_once.add(key)
                self.not_usable[one.toxicity] += not one.usable
                fresh += [one] if one.usable else []
        self.compared += compare(fresh, items, assess, row)
