"""The database, apart from any feature: tables, engines, statements, locks. What differs between SQLite and
PostgreSQL is decided here."""
