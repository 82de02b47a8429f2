-- How scripts/demo prints tables.
\set QUIET on
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET timezone = 'UTC';
\pset border 1
\pset linestyle unicode
\pset null '·'
\pset footer off
\pset pager off
