"""Decision to CDS Hooks cards: every sentence a clinician reads; decides nothing."""
