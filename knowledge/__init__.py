"""Clinical meaning: facts, grading, events, advice, dosing limits and REMS, with their YAML.

Knows no FHIR, no Flask, no clock and no network.
"""
