#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/tiny_models: three random models of some 25,000 weights, each as a Hugging
Face folder and as GGUF, with the logits of PyPI `transformers` and the ids of PyPI `tokenizers`.

    make_tiny_models_golden.py tests/golden/tiny_models

Needs `torch`, `transformers`, `tokenizers`, `safetensors`, `gguf` and `numpy` (the CPU is enough).
Each model NAME gives

    NAME/                   config.json, tokenizer.json, tokenizer_config.json, weights
    NAME.gguf               the same model by `gguf`'s writer, in the layout of llama.cpp's converter
    NAME.golden.safetensors tokens (T) I64; lengths (R) I64; logits (R, V) F32 after so many tokens
    NAME.ids                hex of a text: its ids (as tests/golden/tokenizer)

The three differ in everything that a reader can get wrong: dtype, shards, tied or own head, grouped
heads, biases, head norms, head width, kind of RoPE scaling, spelling of config.json (transformers 4
or 5), split pattern of the tokenizer.
"""
import json
import os
import shutil
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import AutoConfig, AutoModelForCausalLM

SEED = 20261122
VOCABULARY_SIZE = 320
PADDED_IDS = 3  # at the end, in no tokenizer.json
TOKEN_COUNT = 60
LENGTHS = [1, 2, 17, 33, 60]

SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|"
         r"\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3_SPLIT = SPLIT % r"\p{N}{1,3}"
QWEN2_SPLIT = SPLIT % r"\p{N}"

SPECIALS = ["<|begin|>", "<|end|>"]
PLAIN_ADDED = "<tool>"

CORPUS = [
    "The gist of the text is what the reader keeps of it when the words are gone.",
    "It isn't the tree that they'll read; it's the level that we've chosen, 1, 22, 333 and 2024.",
    "In the tail of the document there are tokens, and the tokens stand in the order of the text.",
    "for (int i = 0; i < n; ++i) {\n        total += values[i];\n    }\n\n",
]

TEXTS = [
    "", " ", "   ", "\n", "\n\n\n", "\r\n", " \n", "\n ", "  \n  \n  x", " \n \n", "\t\tx", "\t \n\t",
    "the", " the", "The the THE", "theft of the tree", "a  b", "a   b", "  a", "a  ",
    "It isn't, it's; they'll, we've, I'm, he'd, you're", "IT'S 'S 'Ll ''s 'rex 'vent", "'", "''", "'r",
    "12345", "1234567 89", "a1b2", " 1 22  333   4", "x\u00b2\u00bd\u2167", "3.14e-10, 1,000,000",
    "(word) \"word\" -word #word_word", "...\n\n...", "!?\r\n", "a\n\n  b\n   c", "x \u00a0y \u3000z",
    "caf\u00e9 na\u00efve", "cafe\u0301 nai\u0308ve", "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u041f\u0440\u0438\u0432\u0435\u0442", "\U0001f468\u200d\U0001f469 \U0001f600", "\x00\x01\x02",
    "\u2028\u2029\x85", "____----====", "a" * 50, " " * 50 + "x", "for (int i = 0; i < n; ++i) {\n",
]

COMMON = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "hidden_act": "silu",
          "max_position_embeddings": 256, "rms_norm_eps": 1e-5, "vocab_size": VOCABULARY_SIZE,
          "use_cache": True, "attention_dropout": 0.0}

MODELS = {
    # Grouped heads, own head, llama3 scaling, transformers 4's spelling, two shards.
    "llama": {
        "config": {**COMMON, "architectures": ["LlamaForCausalLM"], "model_type": "llama",
                   "num_attention_heads": 4, "num_key_value_heads": 2, "torch_dtype": "float16",
                   "rope_theta": 500.0, "tie_word_embeddings": False, "attention_bias": False,
                   "mlp_bias": False, "bos_token_id": 0, "eos_token_id": [1, 0],
                   "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                    "high_freq_factor": 4.0,
                                    "original_max_position_embeddings": 64}},
        "dtype": torch.float16, "pre": "llama-bpe", "is_sharded": True},
    # Biases, tied head, yarn.
    "qwen2": {
        "config": {**COMMON, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2",
                   "num_attention_heads": 4, "num_key_value_heads": 1, "dtype": "bfloat16",
                   "tie_word_embeddings": True, "use_sliding_window": False,
                   "rope_parameters": {"rope_theta": 1000.0, "rope_type": "yarn", "factor": 4.0,
                                       "original_max_position_embeddings": 64}},
        "dtype": torch.bfloat16, "pre": "qwen2", "is_sharded": False},
    # Head norms, heads wider than hidden_size / heads, linear scaling.
    "qwen3": {
        "config": {**COMMON, "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3",
                   "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 24,
                   "dtype": "float32", "tie_word_embeddings": False, "attention_bias": False,
                   "layer_types": ["full_attention"] * 2, "use_sliding_window": False,
                   "rope_parameters": {"rope_theta": 1000.0, "rope_type": "linear",
                                       "factor": 2.0}},
        "dtype": torch.float32, "pre": "smollm", "is_sharded": False},
}


def pre_tokenizer(pre):
    if pre == "smollm":
        return pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    split = pre_tokenizers.Split(Regex(LLAMA3_SPLIT if pre == "llama-bpe" else QWEN2_SPLIT),
                                 behavior="isolated", invert=False)
    return pre_tokenizers.Sequence(
        [split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def train_tokenizer(pre):
    """The tokenizer.json document of a tokenizer trained on CORPUS."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer(pre)
    tokenizer.decoder = decoders.ByteLevel()
    if pre == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE - PADDED_IDS - 1, special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.add_tokens([PLAIN_ADDED])
    document = json.loads(tokenizer.to_str())
    assert tokenizer.get_vocab_size() == VOCABULARY_SIZE - PADDED_IDS
    if pre == "llama-bpe":
        # A word that no merges make, found only because whole tokens come first.
        model = document["model"]
        model["ignore_merges"] = True
        used = {part for merge in model["merges"] for part in merge}
        lost = next(m for m in model["merges"] if len(m[0] + m[1]) > 3 and m[0] + m[1] not in used)
        model["merges"].remove(lost)
        model["merges"] = [" ".join(merge) for merge in model["merges"]]  # as older files have them
    return document


def reference_ids(document, text):
    """Ids of plain text as it stands: without normalising, without added tokens."""
    plain = {**document, "normalizer": None, "added_tokens": []}
    return Tokenizer.from_str(json.dumps(plain)).encode(text, add_special_tokens=False).ids


def write_tokenizer(folder, name, document):
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, indent=0)
        file.write("\n")
    settings = {"eos_token": "<|end|>", "tokenizer_class": "PreTrainedTokenizerFast",
                "chat_template": f"{{# {name} #}}{{{{ messages[0].content }}}}"}
    # Both forms of a token, and none: Qwen has no BOS.
    if name == "llama":
        settings["bos_token"] = {"content": "<|begin|>", "special": True}
    if name == "qwen3":
        settings["bos_token"] = None
        settings["chat_template"] = [{"name": "tool_use", "template": "no"},
                                     {"name": "default", "template": settings["chat_template"]}]
    with open(os.path.join(folder, "tokenizer_config.json"), "w", encoding="utf-8") as file:
        json.dump(settings, file, indent=2)
        file.write("\n")


def draw_weights(model, dtype, generator):
    """Random weights, of a size that gives lively logits, that the dtype holds exactly."""
    state = {}
    for name, value in model.state_dict().items():
        noise = torch.randn(value.shape, generator=generator)
        if "norm" in name:
            drawn = 1 + 0.2 * noise
        elif name.endswith("bias"):
            drawn = 0.5 * noise
        else:
            drawn = noise * 1.5 / value.shape[-1] ** 0.5
        state[name] = drawn.to(dtype)
    if model.config.tie_word_embeddings:
        del state["lm_head.weight"]
    return state


def write_weights(folder, state, is_sharded):
    if not is_sharded:
        save_file(state, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
        return
    names = sorted(state)
    files = {"model-00001-of-00002.safetensors": names[::2],
             "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in files.items():
        save_file({name: state[name] for name in part}, os.path.join(folder, file),
                  metadata={"format": "pt"})
    index = {"metadata": {"total_size": sum(v.numel() * v.element_size() for v in state.values())},
             "weight_map": {name: file for file, part in files.items() for name in part}}
    with open(os.path.join(folder, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
        json.dump(index, file, indent=2)
        file.write("\n")


def write_folder(folder, name, spec, document):
    os.makedirs(folder)
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
        json.dump(spec["config"], file, indent=2)
        file.write("\n")
    write_tokenizer(folder, name, document)
    config = AutoConfig.from_pretrained(folder)
    generator = torch.Generator().manual_seed(SEED)
    state = draw_weights(AutoModelForCausalLM.from_config(config), spec["dtype"], generator)
    write_weights(folder, state, spec["is_sharded"])
    return state


def interleaved(x, heads):
    """llama.cpp's conversion of LLaMA's query and key rows."""
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def gguf_tensor_data(value):
    if value.dtype == torch.bfloat16:
        return value.view(torch.int16).numpy().view(np.uint8), gguf.GGMLQuantizationType.BF16
    return value.numpy(), None


def write_gguf_sizes(writer, config):
    rope = config.get("rope_parameters", config.get("rope_scaling"))
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_theta", rope.get("rope_theta")))
    if "head_dim" in config:
        writer.add_key_length(config["head_dim"])
        writer.add_value_length(config["head_dim"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    elif rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    else:
        writer.add_tensor("rope_freqs.weight", llama3_factors(config, rope))


def llama3_factors(config, rope):
    """As llama.cpp's converter computes them."""
    width = config["hidden_size"] // config["num_attention_heads"]
    factors = []
    for i in range(0, width, 2):
        wavelength = 2 * np.pi * config["rope_theta"] ** (i / width)
        turns = rope["original_max_position_embeddings"] / wavelength
        if turns > rope["high_freq_factor"]:
            factors.append(1.0)
        elif turns < rope["low_freq_factor"]:
            factors.append(rope["factor"])
        else:
            kept = ((turns - rope["low_freq_factor"])
                    / (rope["high_freq_factor"] - rope["low_freq_factor"]))
            factors.append(1 / ((1 - kept) / rope["factor"] + kept))
    return np.array(factors, dtype=np.float32)


def write_gguf_tokenizer(writer, name, spec, document):
    tokens = [f"[PAD{i}]" for i in range(VOCABULARY_SIZE)]
    types = [gguf.TokenType.UNUSED] * VOCABULARY_SIZE
    for token, i in document["model"]["vocab"].items():
        tokens[i], types[i] = token, gguf.TokenType.NORMAL
    for added in document["added_tokens"]:
        tokens[added["id"]] = added["content"]
        types[added["id"]] = (gguf.TokenType.CONTROL if added["special"]
                              else gguf.TokenType.USER_DEFINED)
    merges = [m if isinstance(m, str) else " ".join(m) for m in document["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(spec["pre"])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    if name == "llama":
        writer.add_bos_token_id(tokens.index("<|begin|>"))
    writer.add_eos_token_id(tokens.index("<|end|>"))
    writer.add_chat_template(f"{{# {name} #}}{{{{ messages[0].content }}}}")


def write_gguf(path, name, spec, document, state):
    config = spec["config"]
    writer = gguf.GGUFWriter(path, name)
    writer.add_name("tiny " + name)
    write_gguf_sizes(writer, config)
    write_gguf_tokenizer(writer, name, spec, document)
    architecture = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2,
                    "qwen3": gguf.MODEL_ARCH.QWEN3}[name]
    names = gguf.get_tensor_name_map(architecture, config["num_hidden_layers"])
    for own_name, value in state.items():
        if name == "llama" and "q_proj" in own_name:
            value = interleaved(value, config["num_attention_heads"])
        if name == "llama" and "k_proj" in own_name:
            value = interleaved(value, config["num_key_value_heads"])
        # One-dimensional tensors are f32, as converters write them.
        data, kind = gguf_tensor_data(value.float() if value.dim() == 1 else value)
        writer.add_tensor(names.get_name(own_name, (".weight", ".bias")), data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_reference(path, folder):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(SEED)
    tokens = torch.randint(3, VOCABULARY_SIZE - PADDED_IDS - 1, (TOKEN_COUNT,),
                           generator=generator)
    with torch.no_grad():
        logits = model(tokens.unsqueeze(0)).logits[0]
    lengths = torch.tensor(LENGTHS)
    save_file({"tokens": tokens, "lengths": lengths, "logits": logits[lengths - 1].contiguous()},
              path)


def write_ids(path, document):
    with open(path, "w", encoding="ascii") as file:
        file.write("# hex of the text: ids, by PyPI tokenizers\n")
        for text in TEXTS:
            ids = " ".join(map(str, reference_ids(document, text)))
            file.write(f"{text.encode().hex() or '-'}: {ids}".rstrip() + "\n")


def main(root):
    for name, spec in MODELS.items():
        folder = os.path.join(root, name)
        shutil.rmtree(folder, ignore_errors=True)
        document = train_tokenizer(spec["pre"])
        state = write_folder(folder, name, spec, document)
        write_gguf(os.path.join(root, name + ".gguf"), name, spec, document, state)
        write_reference(os.path.join(root, name + ".golden.safetensors"), folder)
        write_ids(os.path.join(root, name + ".ids"), document)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
