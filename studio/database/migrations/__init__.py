"""The steps by which the tables of a studio came to be, for Alembic."""
