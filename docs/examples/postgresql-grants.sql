-- After each `btce-cds migrate` or `btce-cds store restore`, as btce_owner:
--   psql --dbname=btce_cds --username=btce_owner --file=postgresql-grants.sql
-- Decisions, cards, acknowledgements and the chain are not here: they are only read and added to.

GRANT UPDATE (known) ON feedback TO btce_service;
GRANT UPDATE ON chain_heads TO btce_service;
GRANT DELETE ON jwt_ids TO btce_service;
GRANT UPDATE, DELETE ON inbox, turns, watched, subscriptions, told, launches, statements TO btce_service;
