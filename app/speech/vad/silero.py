"""Silero VAD v6 at 8 kHz through onnxruntime, one inference for all streams that are due.

The model file is `silero_vad.onnx` of the PyPI wheel silero-vad 6.2.3, MIT; its licence lies beside
it. The `half` and `16k` files of that wheel take 8 kHz too and then find hardly any speech. Shapes
as the wheel's own ONNX wrapper has them: input [batch, 32 + 256], state [2, batch, 128], sr int64.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from app.speech.vad.slots import Slots
from telecodecs import SAMPLE_RATE_HZ, ulaw_to_pcm

MODEL_FILE: Final = Path(__file__).parent / "weights" / "silero_vad.onnx"
MODEL_SHA256: Final = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
WINDOW_BYTES: Final = 256
CONTEXT_BYTES: Final = 32
_STATE: Final = 128
_FIRST_CAPACITY: Final = 16
_SAMPLES: Final = np.frombuffer(ulaw_to_pcm(bytes(range(256))), "<i2").astype(np.float32) / 32_768

_Floats = npt.NDArray[np.float32]


class SileroScorer:
    """Holds the recurrent state of all streams in one pool, which grows."""

    window_bytes = WINDOW_BYTES
    context_bytes = CONTEXT_BYTES

    def __init__(self, model_file: Path = MODEL_FILE) -> None:
        """Loads the model: about 50 ms. Raises onnxruntime's errors when the file is no model."""
        self._session = onnxruntime.InferenceSession(
            str(model_file), _options(), providers=["CPUExecutionProvider"]
        )
        self._sample_rate = np.array(SAMPLE_RATE_HZ, dtype=np.int64)
        self._slots = Slots()
        self._states: _Floats = np.zeros((2, _FIRST_CAPACITY, _STATE), dtype=np.float32)

    def open(self) -> int:
        slot = self._slots.take()
        if slot >= self._states.shape[1]:
            self._states = np.concatenate((self._states, np.zeros_like(self._states)), axis=1)
        self.reset(slot)
        return slot

    def close(self, slot: int) -> None:
        self._slots.give_back(slot)

    def reset(self, slot: int) -> None:
        self._states[:, slot] = 0

    def score(self, slots: Sequence[int], windows: Sequence[bytes]) -> Sequence[float]:
        codes = np.frombuffer(b"".join(windows), np.uint8).reshape(len(slots), -1)
        probabilities, states = self._session.run(
            None,
            {
                "input": _SAMPLES.take(codes),
                "state": self._states.take(slots, axis=1),
                "sr": self._sample_rate,
            },
        )
        self._states[:, slots] = states
        scores: list[float] = probabilities[:, 0].tolist()
        return scores


def _options() -> onnxruntime.SessionOptions:
    """One thread: the event loop's own. More would compete with the calls they work for."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return options
