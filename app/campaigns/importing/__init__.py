"""Contacts out of files, into a campaign.

A file is read row by row (`opening`), its columns are understood once (`columns`), each row becomes
a contact or faults (`checking`), contacts are loaded in batches (`loading`) and what is wrong is
written to a file for repair (`repairing`). `run` puts these together.
"""
