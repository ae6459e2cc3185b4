"""make.py - writes the models and predictions beside it.

    python3 -m venv v; v/bin/pip install onnx==1.23.2 onnxruntime==1.32.0 skl2onnx==1.20.0 onnxmltools==1.16.0 \\
        scikit-learn==1.9.1 xgboost==3.2.0 lightgbm==4.7.0
    v/bin/python tests/policies/onnx/make.py

Models are trained by scikit-learn, XGBoost and LightGBM and written by their own
exporters, or put together with onnx.helper; NAME.csv has 40 rows of inputs (an
empty field: missing) and, after them, what ONNX Runtime says of them.  The data
is made up: only that outputs agree is looked at.  Not run by the tests.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

here = os.path.dirname(os.path.abspath(__file__))
random = np.random.RandomState(6)
ROWS, IN = 40, 4


def rows(n, missing):
    x = (random.randint(0, 33, (n, IN)) / 16).astype(np.float32)
    if missing:
        x[random.rand(n, IN) < 0.1] = np.nan
    return x


def write(name, model, outs, missing=False, second=False):
    """Saves it, and what the runtime answers; second: of two scores the last."""
    x = rows(ROWS, missing)
    path = os.path.join(here, name + ".onnx")
    onnx.checker.check_model(model)
    with open(path, "wb") as f:
        f.write(model.SerializeToString())
    run = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    y = run.run(None, {run.get_inputs()[0].name: x})[-1]
    if isinstance(y, list):  # of ZipMap: a dictionary a row
        y = np.array([list(row.values()) for row in y], np.float32)
    y = np.asarray(y, np.float32).reshape(ROWS, -1)
    y = y[:, -1:] if second else y
    assert y.shape[1] == outs, (name, y.shape)
    with open(os.path.join(here, name + ".csv"), "w") as f:
        for a, b in zip(x, y):
            f.write(",".join(["" if np.isnan(v) else "%.9g" % v for v in a] + ["%.9g" % v for v in b]) + "\n")
    print(name, os.path.getsize(path), len(set(map(tuple, y))), [n.op_type for n in model.graph.node])


def model_of(name, nodes, width, outs, constants, opsets):
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", width])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", outs])], constants)
    return helper.make_model(graph, producer_name="malv tests", ir_version=8,
                             opset_imports=[helper.make_opsetid(d, v) for d, v in opsets])


def weights(*shape):
    return random.normal(0, 0.7, shape).astype(np.float32)


# ---- perceptrons ------------------------------------------------------------------

def torch_like():
    """As torch.onnx.export writes nn.Sequential(Flatten, Linear, ReLU, Linear, ReLU, Linear)."""
    sizes, nodes, constants, value = [IN, 16, 8, 3], [], [], "/0/Flatten_output_0"
    nodes.append(helper.make_node("Flatten", ["input"], [value], "/0/Flatten", axis=1))
    for i in range(3):
        at = 1 + 2 * i
        w, b, out = "%d.weight" % at, "%d.bias" % at, "/%d/Gemm_output_0" % at if i < 2 else "output"
        constants += [numpy_helper.from_array(weights(sizes[i + 1], sizes[i]), w),
                      numpy_helper.from_array(weights(sizes[i + 1]), b)]
        nodes.append(helper.make_node("Gemm", [value, w, b], [out], "/%d/Gemm" % at, alpha=1.0, beta=1.0, transB=1))
        if i < 2:
            value = "/%d/Relu_output_0" % (at + 1)
            nodes.append(helper.make_node("Relu", [out], [value], "/%d/Relu" % (at + 1)))
    return model_of("main_graph", nodes, IN, 3, constants, [("", 17)])


def listed():
    """float_data, matrices not transposed, alpha, beta, Add from the left, one bias for all, sigmoids."""
    def tensor(name, a):
        return helper.make_tensor(name, TensorProto.FLOAT, a.shape, a.ravel().tolist())
    constants = [tensor("w1", weights(IN, 6)), tensor("c1", weights(1, 6)), tensor("w2", weights(6, 5)),
                 tensor("b2", weights(5)), tensor("w3", weights(5, 2)), tensor("c3", weights(1)),
                 helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 2])]
    nodes = [helper.make_node("Identity", ["input"], ["x"]),
             helper.make_node("Gemm", ["x", "w1", "c1"], ["h1"], alpha=0.5, beta=-2.0),
             helper.make_node("Sigmoid", ["h1"], ["s1"]), helper.make_node("MatMul", ["s1", "w2"], ["m2"]),
             helper.make_node("Add", ["b2", "m2"], ["h2"]), helper.make_node("Sigmoid", ["h2"], ["s2"]),
             helper.make_node("Gemm", ["s2", "w3", "c3"], ["h3"]), helper.make_node("Sigmoid", ["h3"], ["s3"]),
             helper.make_node("Reshape", ["s3", "shape"], ["output"])]
    return model_of("listed", nodes, IN, 2, constants, [("", 13)])


# ---- trees --------------------------------------------------------------------------

def all_modes():
    """Every comparison, tracking true and not, votes for several targets in a leaf, an average, unequal bases."""
    n = dict(nodes_treeids=[], nodes_nodeids=[], nodes_featureids=[], nodes_modes=[], nodes_values=[],
             nodes_truenodeids=[], nodes_falsenodeids=[], nodes_missing_value_tracks_true=[])
    v = dict(target_treeids=[], target_nodeids=[], target_ids=[], target_weights=[])
    modes = ["BRANCH_LT", "BRANCH_LEQ", "BRANCH_GTE", "BRANCH_GT"]
    for tree in range(9):
        for i in range(7):
            leaf = i > 2
            for key, value in zip(n, [tree, i, 0 if leaf else (tree + i) % IN, "LEAF" if leaf else modes[(tree + i) % 4],
                                      0.0 if leaf else random.randint(4, 28) / 16, 0 if leaf else 2 * i + 1,
                                      0 if leaf else 2 * i + 2, 0 if leaf else int(random.randint(2))]):
                n[key].append(value)
            for target in ([tree % 3] if tree < 5 else [0, 2, 0]) if leaf else []:
                for key, value in zip(v, [tree, i, target, float(random.normal())]):
                    v[key].append(value)
    node = helper.make_node("TreeEnsembleRegressor", ["input"], ["output"], domain="ai.onnx.ml", n_targets=3,
                            aggregate_function="AVERAGE", post_transform="NONE", base_values=[0.5, -1.0, 2.0], **n, **v)
    return model_of("all_modes", [node], IN, 3, [], [("", 17), ("ai.onnx.ml", 3)])


def sklearn_of(model, **options):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType
    return convert_sklearn(model, initial_types=[("X", FloatTensorType([None, IN]))], target_opset={"": 17, "ai.onnx.ml": 3},
                           **options)


def boosted(convert, model):
    from onnxmltools.convert.common.data_types import FloatTensorType
    return convert(model, initial_types=[("X", FloatTensorType([None, IN]))], target_opset=15)


def main():
    import lightgbm
    import xgboost
    from onnxmltools import convert_lightgbm, convert_xgboost
    from sklearn import ensemble, neural_network
    x, gaps = rows(400, False), rows(400, True)

    def value(a):
        a = np.nan_to_num(a, nan=-1.0)
        return a[:, 0] * a[:, 1] - a[:, 2] + 0.3 * a[:, 3]
    y, two = value(x), np.stack([value(x), x[:, 0] - x[:, 3]], 1)
    label, third = (value(gaps) > 0.4).astype(int), np.digitize(y, [0, 1])

    write("torch", torch_like(), 3)
    write("listed", listed(), 2)
    net = neural_network.MLPRegressor(hidden_layer_sizes=(12, 7), activation="relu", max_iter=60, random_state=1).fit(x, y)
    write("sklearn-mlp", sklearn_of(net), 1)
    write("all-modes", all_modes(), 3, missing=True)
    small = dict(n_estimators=5, max_depth=3, random_state=1)
    write("sklearn-boosting", sklearn_of(ensemble.GradientBoostingRegressor(**small).fit(x, y)), 1)
    write("sklearn-forest", sklearn_of(ensemble.RandomForestRegressor(**small).fit(x, two)), 2)
    write("sklearn-classes", sklearn_of(ensemble.RandomForestClassifier(**small).fit(x, third)), 3)
    write("sklearn-binary", sklearn_of(ensemble.RandomForestClassifier(**small).fit(x, y > 0.5)), 1, second=True)
    write("xgboost", boosted(convert_xgboost, xgboost.XGBRegressor(**small).fit(gaps, value(gaps))), 1, True)
    write("xgboost-binary", boosted(convert_xgboost, xgboost.XGBClassifier(**small).fit(gaps, label)), 1, True, True)
    write("lightgbm", boosted(convert_lightgbm, lightgbm.LGBMRegressor(verbose=-1, **small).fit(gaps, value(gaps))), 1, True)
    write("lightgbm-binary", boosted(convert_lightgbm, lightgbm.LGBMClassifier(verbose=-1, **small).fit(gaps, label)), 1,
          True, True)


    # What is refused, for the cases of tests/bad.
    bad = os.path.join(here, "..", "..", "bad", "files")
    curved = sklearn_of(neural_network.MLPRegressor(hidden_layer_sizes=(3,), activation="tanh", max_iter=3).fit(x, y))
    many = boosted(convert_xgboost, xgboost.XGBClassifier(n_estimators=1, max_depth=1).fit(x, third))
    for name, model in ("tanh", curved), ("softmax", many):
        with open(os.path.join(bad, name + ".onnx"), "wb") as f:
            f.write(model.SerializeToString())


sys.exit(main())
