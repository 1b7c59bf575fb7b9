"""Writes the small model folders beside it, laid out as on the hub: `pip install onnx==1.23.2 numpy && python make.py`.

No weights are trained: they are set by hand, so that what must come out is known.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper as nh

HERE = Path(__file__).parent


def save(folder, file, nodes, inputs, outputs, weights):
    info = h.make_tensor_value_info
    graph = h.make_graph(
        nodes,
        file,
        [info(*each) for each in inputs],
        [info(*each) for each in outputs],
        initializer=[nh.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], producer_name="make.py")
    model.ir_version = 8
    onnx.checker.check_model(model)
    path = HERE / folder / "onnx" / f"{file}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


def write(folder, file, value):
    path = HERE / folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


# BERT's inputs and outputs; a word's vector is (praise, blame), the logits are their means
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "fine", "bad", "awful", "the", "film", "is"]
vectors = np.zeros((len(words), 2), np.float32)
vectors[[5, 6]] = [4, 0]
vectors[[7, 8]] = [0, 4]


def bert(folder, labels, table):
    write(folder, "config.json", {
        "model_type": "bert",
        "architectures": ["BertForSequenceClassification"],
        "hidden_size": 2,
        "vocab_size": len(words),
        "id2label": {str(index): label for index, label in enumerate(labels)},
        "label2id": {label: index for index, label in enumerate(labels)},
    })
    write(folder, "tokenizer.json", {
        "version": "1.0",
        "added_tokens": [
            {"id": index, "content": word, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True}
            for index, word in enumerate(words[:5])
        ],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [],
            "special_tokens": {word: {"id": word, "ids": [words.index(word)], "tokens": [word]}
                               for word in ("[CLS]", "[SEP]")},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {word: index for index, word in enumerate(words)}},
    })
    write(folder, "tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": 32,
        "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    })
    ids = ["batch", "sequence"]
    save(
        folder, "model",
        [
            h.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"]),
            h.make_node("ReduceMean", ["last_hidden_state"], ["logits"], axes=[1], keepdims=0),
        ],
        [("input_ids", T.INT64, ids), ("attention_mask", T.INT64, ids), ("token_type_ids", T.INT64, ids)],
        [("logits", T.FLOAT, ["batch", 2]), ("last_hidden_state", T.FLOAT, ["batch", "sequence", 2])],
        {"table": table},
    )


bert("tiny/reviews", ["POSITIVE", "NEGATIVE"], vectors)
bert("tiny/mirror", ["PRAISE", "BLAME"], vectors[:, ::-1].copy())

# a voice in VITS's form: each sign is 1,000 samples at a height of its own, at 16 kHz
signs = ["<pad>", "<unk>", " ", *"abcdefghijklmnopqrstuvwxyz", ".", "!", "?", "'"]
time = np.arange(1000) / 16_000
pitches = np.array([0, 0, 0, *(200 + 20 * index for index in range(len(signs) - 3))])
tones = (0.3 * np.sin(2 * np.pi * pitches[:, None] * time)).astype(np.float32)
voice = "tiny/voice"
write(voice, "config.json", {
    "model_type": "vits", "architectures": ["VitsModel"], "sampling_rate": 16_000, "vocab_size": len(signs),
})
write(voice, "tokenizer.json", {
    "version": "1.0",
    "added_tokens": [
        {"id": index, "content": sign, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for index, sign in enumerate(signs[:2])
    ],
    "normalizer": {"type": "Lowercase"},
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {sign: index for index, sign in enumerate(signs)}},
})
write(voice, "tokenizer_config.json", {
    "tokenizer_class": "VitsTokenizer", "model_max_length": 1000, "pad_token": "<pad>", "unk_token": "<unk>",
})
save(
    voice, "model",
    [
        h.make_node("Gather", ["tones", "input_ids"], ["parts"]),
        h.make_node("Reshape", ["parts", "flat"], ["waveform"]),
    ],
    [("input_ids", T.INT64, ["batch", "sequence"]), ("attention_mask", T.INT64, ["batch", "sequence"])],
    [("waveform", T.FLOAT, ["batch", "samples"])],
    {"tones": tones, "flat": np.array([0, -1], np.int64)},
)
