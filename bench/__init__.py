"""The figures behind the claims. `make bench` prints them."""
