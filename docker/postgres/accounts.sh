#!/bin/sh
# For /docker-entrypoint-initdb.d of the postgres image: the two accounts of the store, once, in a new
# database. Reads: POSTGRES_USER, POSTGRES_DB, and
# BTCE_ACCOUNTS  postgresql.sql of docs/examples;  BTCE_PASSWORDS  a folder with the files
#                postgres-owner and postgres-service, one password each
set -eu
cd "${BTCE_PASSWORDS:-/run/secrets}"
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
    --file="${BTCE_ACCOUNTS:-/etc/btce-cds/postgresql.sql}"
# psql reads the files itself and quotes them: no password is an argument of a program.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\set owner `cat postgres-owner`
\set service `cat postgres-service`
ALTER ROLE btce_owner PASSWORD :'owner';
ALTER ROLE btce_service PASSWORD :'service';
SQL
