"""The rows that end therapy, by file: such a row needs its place in the data and its place here.

A slip of the pen in a YAML file can therefore not end anyone's treatment.
"""

PERMANENT_ROWS: dict[str, frozenset[str]] = {
    "blinatumomab-label": frozenset(
        {
            "crs-4",
            "icans-3-from-45kg-at-restart-dose",
            "icans-3-under-45kg-at-restart-dose",
            "icans-3-from-45kg-over-7-days",
            "icans-3-under-45kg-over-7-days",
            "icans-3-from-45kg-seizures",
            "icans-3-under-45kg-seizures",
            "icans-4",
        }
    ),
    "epcoritamab-label": frozenset({"crs-3-recurrent", "crs-4", "icans-3-recurrent", "icans-4"}),
    "glofitamab-label": frozenset({"crs-3-recurrent", "crs-4", "icans-4"}),
    "mosunetuzumab-label": frozenset(
        {
            "crs-3-recurrent",
            "crs-4",
            "icans-1-after-3",
            "icans-2-after-3",
            "icans-3-recurrent",
            "icans-4",
        }
    ),
    "elranatamab-label": frozenset({"crs-3-recurrent", "crs-4", "icans-3-recurrent", "icans-4"}),
    "linvoseltamab-label": frozenset({"crs-3-recurrent", "crs-4", "icans-3-recurrent", "icans-4"}),
    "talquetamab-label": frozenset(
        {"crs-3-recurrent", "crs-3-from-48h", "crs-4", "icans-3-recurrent", "icans-4"}
    ),
    "teclistamab-label": frozenset(
        {"crs-3-recurrent", "crs-3-from-48h", "crs-4", "icans-3-recurrent", "icans-4"}
    ),
    "tarlatamab-label": frozenset({"icans-3-first-over-7-days", "icans-3-recurrent", "icans-4"}),
    "tebentafusp-label": frozenset({"crs-4"}),
    "nhs-waht": frozenset({"crs-3-recurrent", "crs-4", "icans-3-recurrent", "icans-4"}),
}
