"""How much of one sound a filtered copy of another explains: the arithmetic of the echo judge.

First the likeliest delays, by normalised cross-correlation of the whole window at every lag; then,
around each, the short filter that explains the window best in the sense of least squares. A
telephone hybrid smears an echo over some 10 ms, so a delay alone explains little of it.
"""

import numpy as np

from app.speech.echo_reference import Samples

TAPS = 96
"""Length of the filter, in samples: 12 ms."""
LEAD_TAPS = 24
"""How many of them lie before the delay that was found: the strongest path is not the first."""
RIDGE = 1e-3
"""Added to the reference's power, as a share of it: keeps quiet bands from being made up."""
PRE_EMPHASIS = 0.9
"""Takes the voice's slope out before delays are compared, or its pitch would count most."""
QUIET = 0.02
"""A stretch of the reference below this share of the loudest one is not amplified to fit."""
APART = TAPS // 8
"""Two delays nearer than this, in samples, are one."""
_FFT_STEP = 1_024


def likely_lags(reference: Samples, window: Samples, most: int) -> list[int]:
    """Where in `reference` the window may come from: offsets in samples, the likeliest first."""
    kept, heard = _flattened(reference), _flattened(window)
    size = -(-len(kept) // _FFT_STEP) * _FFT_STEP
    spectrum = np.fft.rfft(kept, size) * np.conj(np.fft.rfft(heard, size))
    offsets = len(kept) - len(heard) + 1
    match = np.fft.irfft(spectrum, size)[:offsets]
    energy = np.concatenate(([0.0], np.cumsum(kept * kept)))
    energy = energy[len(heard) :] - energy[: -len(heard)]
    if energy.max() <= 0.0:
        return []
    likeness = match * match / (energy + QUIET * energy.max())
    found = []
    for _ in range(most):
        best = int(likeness.argmax())
        found.append(best)
        likeness[max(0, best - APART) : best + APART + 1] = -1.0
    return found


def predicted(reference: Samples, window: Samples) -> Samples:
    """The window as far as a filter of `TAPS` explains it from `reference`, which holds as many
    samples as the window and `TAPS - 1` before them."""
    normal = _covariance(reference)
    toward = np.correlate(reference, window, "valid")[::-1]
    normal[np.diag_indices(TAPS)] += RIDGE * normal[0, 0]
    if normal[0, 0] <= 0.0:
        return np.zeros_like(window)
    return np.convolve(reference, np.linalg.solve(normal, toward), "valid")


def _covariance(reference: Samples) -> Samples:
    """Products of the reference with itself at each pair of taps. Each diagonal follows from the
    entry before: one product enters, one leaves."""
    newest = reference[TAPS - 1 :]
    enters, leaves = reference[TAPS - 2 :: -1], reference[:-TAPS:-1]
    steps = np.outer(enters, enters) - np.outer(leaves, leaves)
    matrix = np.empty((TAPS, TAPS))
    matrix[0] = np.correlate(reference, newest, "valid")[::-1]
    for row in range(1, TAPS):
        matrix[row, row:] = matrix[row - 1, row - 1 : -1] + steps[row - 1, row - 1 :]
        matrix[row, :row] = matrix[:row, row]
    return matrix


def _flattened(sound: Samples) -> Samples:
    flat = sound.copy()
    flat[1:] -= PRE_EMPHASIS * sound[:-1]
    return flat
