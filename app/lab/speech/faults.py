"""What can go wrong with the lab's hearing and speaking, by who can mend it."""


class SpeechError(Exception):
    """Any failure of the lab's ear, mouth, voices or dialogs."""


class MissingPartError(SpeechError):
    """A part that this machine lacks; the message says how to get it."""


class GrammarError(SpeechError, ValueError):
    """The caller's hints cannot be used: bad JSGF, or a word that the recogniser does not know."""


class TextError(SpeechError, ValueError):
    """The caller's text or voice cannot be spoken."""


class ChildCrashedError(SpeechError):
    """A worker process died while it worked, and its replacement too: a fault of ours."""


class DialogError(SpeechError, ValueError):
    """A dialog file is wrong; the message names the file, the place and what was expected."""


class UnknownClipError(SpeechError, KeyError):
    """No voice clip has this name."""

    def __str__(self) -> str:  # KeyError would show the message in quotes
        return str(self.args[0])
