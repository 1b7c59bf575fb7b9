"""Writes the small ONNX files beside it: `pip install onnx==1.23.2 && python make.py`."""

from pathlib import Path

import onnx
from onnx import TensorProto as T
from onnx import helper as h

HERE = Path(__file__).parent


def write(name, nodes, inputs, outputs, initializers=()):
    info = h.make_tensor_value_info
    graph = h.make_graph(
        nodes,
        name,
        [info(*each) for each in inputs],
        [info(*each) for each in outputs],
        initializer=list(initializers),
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], producer_name="make.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())


def constant(name, type, values, dims=()):
    return h.make_tensor(name, type, dims, values)


# y = 2 x + 1, for any number of rows and columns
write(
    "affine",
    [h.make_node("Mul", ["x", "two"], ["double"]), h.make_node("Add", ["double", "one"], ["y"])],
    [("x", T.FLOAT, ["n", "k"])],
    [("y", T.FLOAT, ["n", "k"])],
    [constant("two", T.FLOAT, [2.0]), constant("one", T.FLOAT, [1.0])],
)

# two inputs, two outputs
write(
    "pair",
    [h.make_node("Add", ["a", "b"], ["sum"]), h.make_node("Sub", ["a", "b"], ["difference"])],
    [("a", T.FLOAT, ["n", 3]), ("b", T.FLOAT, ["n", 3])],
    [("sum", T.FLOAT, ["n", 3]), ("difference", T.FLOAT, ["n", 3])],
)

# one row, not more
write(
    "single",
    [h.make_node("Neg", ["x"], ["y"])],
    [("x", T.FLOAT, [1, 2])],
    [("y", T.FLOAT, [1, 2])],
)

# a table of four numbers: an index outside of it is an error while it runs
write(
    "lookup",
    [h.make_node("Gather", ["table", "index"], ["value"])],
    [("index", T.INT64, ["n"])],
    [("value", T.FLOAT, ["n"])],
    [constant("table", T.FLOAT, [10.0, 11.0, 12.0, 13.0], (4,))],
)

# element types that a Tensor does not have: x where the mask says so, else 0; and what is not 0
write(
    "types",
    [
        h.make_node("Where", ["mask", "x", "zero"], ["y"]),
        h.make_node("Equal", ["y", "zero"], ["is_zero"]),
        h.make_node("Not", ["is_zero"], ["is_some"]),
    ],
    [("x", T.FLOAT16, ["n"]), ("mask", T.BOOL, ["n"])],
    [("y", T.FLOAT16, ["n"]), ("is_some", T.BOOL, ["n"])],
    [constant("zero", T.FLOAT16, [0.0])],
)

# the sum of all rows: not to be batched, though its leading dimension is free
write(
    "total",
    [h.make_node("ReduceSum", ["x", "axis"], ["y"], keepdims=1)],
    [("x", T.FLOAT, ["n", 2])],
    [("y", T.FLOAT, [1, 2])],
    [constant("axis", T.INT64, [0], (1,))],
)

# each row plus a number that all rows share
write(
    "shifted",
    [h.make_node("Add", ["x", "by"], ["y"])],
    [("x", T.FLOAT, ["n", 2]), ("by", T.FLOAT, [])],
    [("y", T.FLOAT, ["n", 2])],
)
