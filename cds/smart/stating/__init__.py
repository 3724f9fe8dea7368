"""What a clinician states: kept first, then sent to the EHR with the rights of the user."""
