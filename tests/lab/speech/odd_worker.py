"""A worker for the tests of `Child`: does what its question says; its argument spoils the start."""

import os
import sys
import time
from pathlib import Path

from app.lab.speech.faults import GrammarError, MissingPartError
from app.lab.speech.worker import Handler, serve


def _answer(question: bytes) -> bytes:
    verb, _, rest = question.decode().partition(" ")
    match verb:
        case "die":
            print("something broke", file=sys.stderr, flush=True)
            os._exit(3)
        case "die-once" if not Path(rest).exists():
            Path(rest).touch()
            os.kill(os.getpid(), 9)
        case "refuse":
            raise GrammarError(f"no such thing: {rest}")
        case "break":
            raise RuntimeError("a bug")
        case "print":
            print("not an answer")
            os.write(1, b"nor this")
        case "wait":
            while not Path(rest).exists():
                time.sleep(0.01)
        case "pid":
            return str(os.getpid()).encode()
    return rest.encode()


def _make() -> Handler:
    if "missing" in sys.argv:
        raise MissingPartError("the part is missing; mend it with: buy one")
    if "crash" in sys.argv:
        raise RuntimeError("cannot even start")
    return _answer


if __name__ == "__main__":
    if "garbage" in sys.argv:
        os.write(1, b"\xff\xff\xff\xff is not the length of anything")
        time.sleep(60)
    sys.exit(serve(_make))
