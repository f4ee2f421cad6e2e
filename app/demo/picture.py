"""`python -m app.demo.picture FILE.svg`: the demo as it looks in a terminal, for the README."""

import sys
from io import StringIO
from pathlib import Path

from rich.console import Console

from app.demo.run import run_demo


def main() -> int:
    """Hold the call for the picture; exits like the demo."""
    console = Console(
        record=True,
        width=92,
        file=StringIO(),
        force_terminal=True,
        force_interactive=False,
        highlight=False,
    )
    code = run_demo(None, Path("earshot-data/demo"), 40, console=console)
    console.save_svg(sys.argv[1], title="make demo")
    return code


if __name__ == "__main__":
    sys.exit(main())
