"""What an operator wants at the carrier, what is there, and what is to be done about it.

Pure: nothing here talks to anybody. `planning` compares, `wanted` reads the operator's file.
"""
