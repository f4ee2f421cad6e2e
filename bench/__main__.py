"""`make bench`: every figure that is claimed, one bench after the other.

`python -m bench [NAME ...]` runs only the named ones. Each is its own process, so that one bench's
memory and event loop are not another's.
"""

import subprocess
import sys

BENCHES = {
    "interruptions": "truncation and time to silence, over whole calls",
    "speed": "CPU, memory, latency and capacity beside a bare bridge",
    "words": "which words were heard of an answer that was cut",
    "echo": "the bot's own voice told from a caller",
    "vad": "our own voice detection: what it hears, misses and costs",
    "models_hot_path": "cost of one append and one delta",
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
        return 2
    worst = 0
    for name in names or BENCHES:
        print(f"\n== {name}: {BENCHES[name]}\n", flush=True)
        finished = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False)
        worst = max(worst, finished.returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
