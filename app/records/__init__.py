"""The record behind every call, and the ledger of campaigns, in SQL.

SQLite by default, PostgreSQL by `DATABASE_URL`. Nothing here is on the media path: what a call
leaves is put into a spool on disk first (`spool.py`) and written to the database behind it.
"""
