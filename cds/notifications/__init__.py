"""What a FHIR server tells this service: parsed, counted, committed to the inbox, answered.

A notification is a reason to read again, never a source of clinical data.
"""
