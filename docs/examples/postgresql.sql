-- Accounts for the store on PostgreSQL, so that the service cannot change or delete what it kept.
-- Once, as administrator, in a new database with the encoding UTF8:
--   psql --dbname=btce_cds --file=postgresql.sql
-- then set the passwords (\password btce_owner) and let both in by scram-sha-256 and TLS alone.

CREATE ROLE btce_owner LOGIN;    -- `migrate`, `store prune`, `store backup`, `store restore`
CREATE ROLE btce_service LOGIN;  -- `serve`, `worker`, reports and checks

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO btce_owner;
GRANT USAGE ON SCHEMA public TO btce_service;

-- For every table there will be: read and add. What may be changed is in postgresql-grants.sql.
ALTER DEFAULT PRIVILEGES FOR ROLE btce_owner IN SCHEMA public
  GRANT SELECT, INSERT ON TABLES TO btce_service;
ALTER DEFAULT PRIVILEGES FOR ROLE btce_owner IN SCHEMA public
  GRANT USAGE ON SEQUENCES TO btce_service;
