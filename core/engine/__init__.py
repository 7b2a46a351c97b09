"""Who sends for which fanpage: handed out within this process on SQLite, by Procrastinate on PostgreSQL."""
