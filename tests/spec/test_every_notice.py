"""Two things to say under one code are both said: a notice never takes another's place."""

from tests.builders import Json, administration, concept, hours_ago
from tests.spec.bedside import bedside, fever


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


def _given(name: str, *drugs: tuple[str, str]) -> Json:
    coding = [concept(RXNORM, code, text)["coding"][0] for code, text in drugs]
    medicine = {"coding": coding}
    return administration(medicine, at=hours_ago(2), resource_id=name)


def test_two_administrations_of_several_drugs_are_both_named() -> None:
    acetaminophen, dexamethasone, prednisone = (
        ("161", "acetaminophen"),
        ("3264", "dexamethasone"),
        ("8640", "prednisone"),
    )
    found = bedside(
        _given("a1", acetaminophen, dexamethasone),
        _given("a2", acetaminophen, prednisone),
        t=fever(),
    )
    texts = [one.text for one in found.assessment.notices if one.code == "several-drugs-given"]
    assert len(texts) == 2
    assert "dexamethasone" in texts[0]
    assert "prednisone" in texts[1]
