"""The pages of docs/ as the tests read them: code blocks, tables, headings, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
FRONT = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
"""What is read first, and makes the same promises."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!-- (?P<kind>[\w ]+): (?P<words>[^>]*?) -->")


@dataclass(frozen=True)
class Block:
    """A fenced block of code and what stands before it on its page."""

    language: str
    text: str
    comment: str
    """The HTML comment right above it, or ""."""


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(text: str, language: str = "") -> list[Block]:
    """The fenced blocks in order; only those of `language` if it is given."""
    found = []
    for match in _FENCE.finditer(text):
        above = text[: match.start()].rstrip().rsplit("\n", 1)[-1]
        comment = above if above.startswith("<!--") else ""
        if language in ("", match[1]):
            found.append(Block(match[1], match[2], comment))
    return found


def example(text: str, name: str) -> Block:
    """The block below `<!-- example: NAME; ... -->`."""
    return next(b for b in blocks(text) if b.comment.startswith(f"<!-- example: {name};"))


def following(text: str, block: Block, language: str = "text") -> str:
    """The text of the first block of `language` after `block`."""
    rest = text[text.index(block.text) + len(block.text) + len("```") :]
    return blocks(rest, language)[0].text


def table(text: str, after: str) -> list[list[str]]:
    """The rows, without the head, of the first table after the words `after`."""
    lines = text[text.index(after) + len(after) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        rows.append([cell.strip().replace("\\|", "|") for cell in cells])
    return rows[2:]


def codes(cell: str) -> list[str]:
    """What stands in backticks in a table's cell."""
    return re.findall(r"`([^`]+)`", cell)


def prose(text: str) -> str:
    """The page without its fenced blocks and comments."""
    return _COMMENT.sub("", _FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found
