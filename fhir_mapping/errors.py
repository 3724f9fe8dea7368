"""The one error this package raises; everything else that is wrong with data becomes a value."""


class AnotherPatient(Exception):
    """A resource resolves to another patient or another FHIR base: no advice at all.

    `where` is the place in the request, such as `prefetch.vitals.entry[7]`; never an identifier.
    """

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} belongs to another patient or another FHIR base")
        self.where = where
