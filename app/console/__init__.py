"""The JSON API, for those who run their lines by programs of their own."""
