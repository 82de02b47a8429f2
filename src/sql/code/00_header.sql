-- bcce: assembled by scripts/assemble from src/sql.  Edit there, not here.
\echo Use "CREATE EXTENSION bcce" to load this file. \quit

