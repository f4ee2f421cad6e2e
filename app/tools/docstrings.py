"""What a tool's docstring tells the model: a description, and words for its parameters."""

import re

_HEADING = re.compile(r"(Args|Arguments|Parameters|Returns|Raises|Yields|Examples?|Notes?):\s*$")
_PARAMETER = re.compile(r"(\w+)(?:\s*\([^)]*\))?:\s*(.*)")
_FIELD = re.compile(r":param\s+(?:[^:]*\s)?(\w+):\s*(.*)")


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The description (all before the first section) and the words for each parameter.

    Understands an `Args:` section (one `name: words` an entry, indented) and `:param name:` lines.
    """
    lines = text.splitlines()
    end = next((i for i, line in enumerate(lines) if _begins_section(line)), len(lines))
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines[:end]).strip())
    description = "\n".join(" ".join(p.split()) for p in paragraphs)
    return description, _sections(lines[end:])


def _begins_section(line: str) -> bool:
    return bool(_HEADING.match(line) or line.startswith(":"))


def _sections(lines: list[str]) -> dict[str, str]:
    words: dict[str, list[str]] = {}
    in_args, indent, name = False, 0, ""
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if _begins_section(line):
            in_args = line.startswith(("Args", "Arguments", "Parameters"))
            indent, name = 0, ""
            if field := _FIELD.match(line):
                name = field[1]
                words[name] = [field[2]]
        elif in_args and (entry := _PARAMETER.match(line.strip())) and depth <= (indent or depth):
            indent, name = depth, entry[1]
            words[name] = [entry[2]]
        elif name and line.strip():
            words[name].append(line.strip())
    return {name: " ".join(filter(None, parts)) for name, parts in words.items()}
