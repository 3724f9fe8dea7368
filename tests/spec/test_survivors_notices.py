"""Notices whose conditions a change of the code could loosen without any other test noticing."""

from knowledge.facts import Order
from knowledge.library import load
from knowledge.steroids import duplicate_notice
from tests.builders import quantity
from tests.spec.bedside import bedside, notices
from tests.spec.chart import chart, masking
from tests.spec.test_pressors import charted


def test_a_corticosteroid_that_is_still_to_come_was_not_given() -> None:
    draft = Order("MedicationRequest/d1", "corticosteroid", "dexamethasone", "dexamethasone")
    to_come = masking("steroid", -2, "prednisone")
    assert duplicate_notice(chart(orders=(draft,), masking=(to_come,)), (), load().rules) is None


def test_a_push_and_an_uncounted_agent_at_once_are_both_said() -> None:
    push = charted("phenylephrine", 1, None, dose=quantity(100, "ug"))
    by_mouth = charted("midodrine", 3, None, route="oral")
    said = notices(bedside(push, by_mouth))
    assert {"uncounted-pressor", "pressor-push"} <= {*said}
