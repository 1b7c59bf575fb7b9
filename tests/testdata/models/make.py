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
pitches = np.array([0, 0, 0, *(200 + 100 * index for index in range(len(signs) - 3))])
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

# an ear in wav2vec2's form: how strong each sign's tone is in every 500 samples
letters = signs[3:]
steps = np.arange(500) / 16_000
angles = 2 * np.pi * np.array([200 + 100 * index for index in range(len(letters))])[:, None] * steps
templates = np.concatenate([np.cos(angles), np.sin(angles)]).astype(np.float32)[:, None, :]
heard = ["<pad>", "<unk>", "|", *letters]
table = np.zeros((len(letters), len(heard)), np.float32)
table[range(len(letters)), range(3, len(heard))] = 1
ear = "tiny/ear"
write(ear, "config.json", {
    "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"], "vocab_size": len(heard),
})
write(ear, "preprocessor_config.json", {
    "feature_extractor_type": "Wav2Vec2FeatureExtractor", "sampling_rate": 16_000, "do_normalize": False,
})
write(ear, "tokenizer.json", {
    "version": "1.0",
    "added_tokens": [
        {"id": index, "content": sign, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for index, sign in enumerate(heard[:2])
    ],
    "normalizer": None,
    "pre_tokenizer": {"type": "Split", "pattern": {"Regex": ""}, "behavior": "Isolated", "invert": False},
    "post_processor": None,
    "decoder": {"type": "CTC", "pad_token": "<pad>", "word_delimiter_token": "|", "cleanup": True},
    "model": {"type": "WordLevel", "unk_token": "<unk>", "vocab": {sign: index for index, sign in enumerate(heard)}},
})
write(ear, "tokenizer_config.json", {
    "tokenizer_class": "Wav2Vec2CTCTokenizer", "pad_token": "<pad>", "unk_token": "<unk>",
    "word_delimiter_token": "|",
})
save(
    ear, "model",
    [
        h.make_node("Unsqueeze", ["input_values", "one"], ["channel"]),
        h.make_node("Pad", ["channel", "tail"], ["padded"]),
        h.make_node("Conv", ["padded", "templates"], ["parts"], strides=[500]),
        h.make_node("Mul", ["parts", "parts"], ["squares"]),
        h.make_node("Split", ["squares", "halves"], ["cosines", "sines"], axis=1),
        h.make_node("Add", ["cosines", "sines"], ["powers"]),
        h.make_node("Transpose", ["powers"], ["rows"], perm=[0, 2, 1]),
        h.make_node("MatMul", ["rows", "table"], ["spread"]),
        h.make_node("Add", ["spread", "bias"], ["logits"]),
    ],
    [("input_values", T.FLOAT, ["batch", "samples"])],
    [("logits", T.FLOAT, ["batch", "steps", len(heard)])],
    {
        "one": np.array([1], np.int64),
        "tail": np.array([0, 0, 0, 0, 0, 499], np.int64),
        "templates": templates,
        "halves": np.array([len(letters)] * 2, np.int64),
        "table": table,
        "bias": np.array([-1, -1, 700, *([0] * len(letters))], np.float32),
    },
)
