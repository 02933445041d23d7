"""The schema's history, packaged with the code that needs it."""

HEAD = "0002"
"""The newest revision; a start on a database that is there already need not load Alembic."""
