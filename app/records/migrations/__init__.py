"""How the tables came to be as they are: Alembic's steps, run by `app.records.migrate`."""
