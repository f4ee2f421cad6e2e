"""`python -m app.demo.picture FILE.svg`: the demo as it looks in a terminal, for the README."""

import re
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
    picture = console.export_svg(title="make demo")
    # The fonts would be fetched from the web; a terminal's own will do.
    plain = re.sub(r"@font-face\s*{.*?}", "", picture, flags=re.DOTALL)
    Path(sys.argv[1]).write_text(plain, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
