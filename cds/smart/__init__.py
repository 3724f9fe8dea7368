"""The bedside app: launched from the EHR with the user's own rights, grades what no EHR codes."""
