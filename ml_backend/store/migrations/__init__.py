"""Alembic's folder. Migrations are numbered, appended and never edited once released."""
