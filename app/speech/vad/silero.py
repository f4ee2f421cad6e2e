"""Silero VAD v6 at 8 kHz through onnxruntime, one inference for all streams that are due.

The vendor's file is `silero_vad.onnx` of the PyPI wheel silero-vad 6.2.3, MIT; its licence lies
beside it. The `half` and `16k` files of that wheel take 8 kHz too and then find hardly any speech.
What runs is the same network with the same weights, laid out for many streams at once by
`python -m bench.vad_dense`: the vendor's convolutions over a few frames of each stream are products
with one matrix there, for a quarter of the CPU. Both give the same probabilities to 0.00002.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from app.speech.vad.slots import Slots
from telecodecs import ulaw_to_pcm

VENDOR_FILE: Final = Path(__file__).parent / "weights" / "silero_vad.onnx"
VENDOR_SHA256: Final = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
MODEL_FILE: Final = VENDOR_FILE.with_name("silero_vad_8k_dense.onnx")
"""Input frames [batch, 4, 128] and state [batch, 256]; output [batch, 1] and state_next."""
WINDOW_BYTES: Final = 256
CONTEXT_BYTES: Final = 32
FRAME_SAMPLES: Final = 128
HOP_SAMPLES: Final = 64
FRAMES: Final = 4
STATE: Final = 256
"""128 of the recurrent layer's output, 128 of its cells."""
_FIRST_CAPACITY: Final = 16
_SAMPLES: Final = np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(np.float32) / 32_768

_Floats = npt.NDArray[np.float32]


def _frame_places() -> npt.NDArray[np.intp]:
    """Where in a window with its context each sample of each frame is taken from. The last frame
    goes on past the end, where the vendor's network has the end mirrored."""
    last = CONTEXT_BYTES + WINDOW_BYTES - 1
    places = np.add.outer(np.arange(FRAMES) * HOP_SAMPLES, np.arange(FRAME_SAMPLES))
    mirrored: npt.NDArray[np.intp] = last - np.abs(last - places)
    return mirrored


_PLACES: Final = _frame_places()


class SileroScorer:
    """Holds the recurrent state of all streams in one pool, which grows."""

    window_bytes = WINDOW_BYTES
    context_bytes = CONTEXT_BYTES

    def __init__(self, model_file: Path = MODEL_FILE) -> None:
        """Loads the model: about 10 ms. Raises onnxruntime's errors when the file is no model."""
        self._session = onnxruntime.InferenceSession(
            str(model_file), _options(), providers=["CPUExecutionProvider"]
        )
        self._slots = Slots()
        self._states: _Floats = np.zeros((_FIRST_CAPACITY, STATE), dtype=np.float32)

    def open(self) -> int:
        slot = self._slots.take()
        if slot >= len(self._states):
            self._states = np.concatenate((self._states, np.zeros_like(self._states)))
        self.reset(slot)
        return slot

    def close(self, slot: int) -> None:
        self._slots.give_back(slot)

    def reset(self, slot: int) -> None:
        self._states[slot] = 0

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        codes = np.frombuffer(b"".join(windows), np.uint8).reshape(len(slots), -1)
        frames = _SAMPLES.take(codes).take(_PLACES, axis=1)
        probabilities, states = self._session.run(
            None, {"frames": frames, "state": self._states.take(slots, axis=0)}
        )
        self._states[slots] = states
        scores: list[float] = probabilities[:, 0].tolist()
        return scores


def _options() -> onnxruntime.SessionOptions:
    """One thread: the event loop's own. More would compete with the calls they work for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return options
