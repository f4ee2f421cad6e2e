"""`python -m bench.vad_dense`: the vendor's voice detector, laid out for many streams at once.

Writes `app/speech/vad/weights/silero_vad_8k_dense.onnx` from the vendor's `silero_vad.onnx` beside
it; needs the package onnx (`pip install '.[weights]'`). The vendor's network runs each stream's
convolutions by themselves, over four, two and one frames, which is far too little work for a
processor's vector units. Here each convolution is one dense matrix, zero where a frame is out of
reach, and all streams are its rows. No weight is changed: tests/speech/vad/test_silero.py holds the
two beside each other.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.speech.vad.silero import FRAME_SAMPLES, FRAMES, MODEL_FILE, STATE, VENDOR_FILE

Floats = npt.NDArray[np.float32]
OPSET: Final = 16
IR_VERSION: Final = 8
PREFIX: Final = "If_0_else_branch__Inline_0__"
"""Of names in the branch that the vendor's network takes at 8 kHz."""
BINS: Final = FRAME_SAMPLES // 2 + 1
HIDDEN: Final = STATE // 2
STRIDES: Final = (1, 2, 2, 1)


class Graph:
    """Nodes in the order in which they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(self, op: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        """The first output's name."""
        self.nodes.append(helper.make_node(op, list(inputs), list(outputs), **attributes))
        return outputs[0]


def dense_model(vendor: onnx.ModelProto) -> onnx.ModelProto:
    """Raises KeyError when it is another file than the one that `app.speech.vad.silero` names."""
    weights = _weights_8k(vendor)
    graph = Graph()
    hidden = _encoder(graph, weights, _magnitudes(graph, weights))
    output = _recurrent(graph, weights, hidden)
    _probability(graph, weights, output)
    made = helper.make_graph(
        graph.nodes,
        "silero_vad_8k_dense",
        [_floats("frames", FRAMES, FRAME_SAMPLES), _floats("state", STATE)],
        [_floats("output", 1), _floats("state_next", STATE)],
        graph.constants,
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model


def dense_convolution(weight: Floats, frames: int, stride: int) -> Floats:
    """What a convolution with one frame of zeros on each side does to all frames, as a matrix:
    [frames * channels, frames left * channels]."""
    channels, channels_before, taps = weight.shape
    left = (frames - 1) // stride + 1
    matrix = np.zeros((frames, channels_before, left, channels), dtype=np.float32)
    for to in range(left):
        for tap in range(taps):
            place = to * stride + tap - 1
            if 0 <= place < frames:
                matrix[place, :, to] = weight[:, :, tap].T
    return matrix.reshape(frames * channels_before, left * channels)


def _weights_8k(vendor: onnx.ModelProto) -> dict[str, Floats]:
    branches = [
        attribute.g
        for node in vendor.graph.node
        for attribute in node.attribute
        if attribute.name == "else_branch"
    ]
    return {
        node.output[0].removeprefix(PREFIX): numpy_helper.to_array(node.attribute[0].t)
        for node in branches[0].node
        if node.op_type == "Constant"
    }


def _magnitudes(graph: Graph, weights: Mapping[str, Floats]) -> str:
    """Of each frame's spectrum, all frames of a stream in a row."""
    basis = weights["stft.forward_basis_buffer"][:, 0].T
    parts = []
    for name, columns in (("real", basis[:, :BINS]), ("imaginary", basis[:, BINS:])):
        part = graph.add("MatMul", ["frames", graph.constant(f"{name}_basis", columns)], name)
        parts.append(graph.add("Mul", [part, part], f"{name}_squared"))
    power = graph.add("Add", parts, "power")
    row = graph.constant("row", np.array([-1, FRAMES * BINS], dtype=np.int64))
    return graph.add("Reshape", [graph.add("Sqrt", [power], "magnitude"), row], "spectrum")


def _encoder(graph: Graph, weights: Mapping[str, Floats], name: str) -> str:
    frames = FRAMES
    for number, stride in enumerate(STRIDES):
        layer = f"encoder.{number}.reparam_conv"
        matrix = dense_convolution(weights[f"{layer}.weight"], frames, stride)
        frames = (frames - 1) // stride + 1
        weight = graph.constant(f"encoder_{number}_weight", matrix)
        bias = graph.constant(f"encoder_{number}_bias", np.tile(weights[f"{layer}.bias"], frames))
        name = graph.add("Gemm", [name, weight, bias], f"encoder_{number}_sum")
        name = graph.add("Relu", [name], f"encoder_{number}")
    return name


def _recurrent(graph: Graph, weights: Mapping[str, Floats], name: str) -> str:
    """One step of the LSTM. The vendor's order of gates is in, forget, cell, out; here the three
    that pass through a sigmoid stand together."""
    order = np.arange(4 * HIDDEN).reshape(4, HIDDEN)[[0, 1, 3, 2]].ravel()
    both = np.concatenate((weights["decoder.rnn.weight_ih"], weights["decoder.rnn.weight_hh"]), 1)
    biases = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
    half = graph.constant("halves", np.array([HIDDEN, HIDDEN], dtype=np.int64))
    three = graph.constant("gates_and_cell", np.array([3 * HIDDEN, HIDDEN], dtype=np.int64))
    each = graph.constant("each_gate", np.array([HIDDEN] * 3, dtype=np.int64))
    graph.add("Split", ["state", half], "before", "cell_before", axis=1)
    graph.add("Concat", [name, "before"], "seen", axis=1)
    weight = graph.constant("recurrent_weight", both[order].T)
    bias = graph.constant("recurrent_bias", biases[order])
    graph.add("Gemm", ["seen", weight, bias], "sums")
    graph.add("Split", ["sums", three], "gate_sums", "cell_sum", axis=1)
    graph.add("Sigmoid", ["gate_sums"], "gates")
    graph.add("Split", ["gates", each], "in", "forget", "out", axis=1)
    graph.add("Tanh", ["cell_sum"], "cell_new")
    graph.add("Mul", ["forget", "cell_before"], "cell_kept")
    graph.add("Mul", ["in", "cell_new"], "cell_added")
    graph.add("Add", ["cell_kept", "cell_added"], "cell")
    graph.add("Tanh", ["cell"], "cell_bounded")
    output = graph.add("Mul", ["out", "cell_bounded"], "hidden")
    graph.add("Concat", [output, "cell"], "state_next", axis=1)
    return output


def _probability(graph: Graph, weights: Mapping[str, Floats], name: str) -> None:
    weight = graph.constant("output_weight", weights["decoder.decoder.2.weight"][0])
    bias = graph.constant("output_bias", weights["decoder.decoder.2.bias"])
    positive = graph.add("Relu", [name], "positive")
    graph.add("Gemm", [positive, weight, bias], "output_sum")
    graph.add("Sigmoid", ["output_sum"], "output")


def _floats(name: str, *shape: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def main(to: Path = MODEL_FILE) -> int:
    """Always 0."""
    to.write_bytes(dense_model(onnx.load(VENDOR_FILE)).SerializeToString(deterministic=True))
    print(f"{to.name}: {to.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
