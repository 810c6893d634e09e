#!/bin/sh
# PostgreSQL's image runs this once, when the database is made. The application gets a role that owns its database and may
# do nothing else: a superuser may read files and run programs by SQL. The superuser has no password afterwards, so that
# nobody logs in as it but from inside the container.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username postgres --dbname postgres <<'SQL'
\set password `cat /run/askonce/postgres/password`
CREATE ROLE askonce LOGIN PASSWORD :'password';
CREATE DATABASE askonce OWNER askonce;
ALTER ROLE postgres PASSWORD NULL;
SQL
