"""`python -m app` is `earshot`."""

from app.cli import main

if __name__ == "__main__":
    main()
