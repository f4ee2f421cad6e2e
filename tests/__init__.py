"""The tests. A package by this file, so that no other is taken for it: `sippy` installs its own
tests under this very name, and a folder without this file would lose to them."""
