"""What Hugging Face PEFT chooses for many configurations, on a Llama of two layers: target_modules.json.

Made with Python 3.11, torch 2.15.0 (CPU), transformers 5.24.0, peft 0.21.2:

    pip install torch==2.15.0 transformers==5.24.0 peft==0.21.2
    python target_modules.py > ../resources/io/peft4j/core/peft/method/target_modules.json
"""
import copy
import json
import warnings

import peft
from peft import FourierFTConfig, LoraConfig, get_peft_model
from peft.tuners.tuners_utils import _maybe_include_all_linear_layers, check_target_module_exists
from peft.utils.other import get_pattern_key
from transformers import LlamaConfig, LlamaForCausalLM

warnings.filterwarnings("ignore")
model = LlamaForCausalLM(LlamaConfig(
    hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    vocab_size=13))
# Modules without weights below them, and lists of modules, are no places of a network in PEFT4J.
WITHOUT_PLACE = ("", "model", "model.layers", "model.rotary_emb")
PATHS = [path for path, _ in model.named_modules() if path not in WITHOUT_PLACE and not path.endswith("act_fn")]

CHOICES = [
    dict(target_modules=["q_proj"]),
    dict(target_modules=["q_proj", "lm_head"]),
    dict(target_modules=["proj"]),
    dict(target_modules=["_proj", "q_proj"]),
    dict(target_modules=["self_attn.q_proj", "1.mlp.up_proj"]),
    dict(target_modules=["model.layers.0.self_attn.q_proj"]),
    dict(target_modules=["layers.0.self_attn.q_proj", "model.embed_tokens"]),
    dict(target_modules=["attn.q_proj", "k_proj"]),
    dict(target_modules=["self_attn", "norm"]),
    dict(target_modules=["norm"]),
    dict(target_modules=["0", "up_proj"]),
    dict(target_modules=[".q_proj", "v_proj"]),
    dict(target_modules=["Q_PROJ", "v_proj"]),
    dict(target_modules=["q.proj", "v_proj"]),
    dict(target_modules=".*q_proj"),
    dict(target_modules="q_proj|.*v_proj"),
    dict(target_modules=r".*\.0\..*"),
    dict(target_modules=r"model\.layers\.\d+\.mlp\.(gate|up)_proj"),
    dict(target_modules=r".*(?<!q)_proj"),
    dict(target_modules=r".*(?P<part>attn)\.(q|v)_proj"),
    dict(target_modules=r"(?i).*Q_PROJ"),
    dict(target_modules=r".*_proj$"),
    dict(target_modules=r"^model.*o_proj"),
    dict(target_modules=r"layers\.0.*"),
    dict(target_modules="all-linear"),
    dict(target_modules="ALL-Linear"),
    dict(target_modules="all-linear", exclude_modules=["q_proj", "lm_head"]),
    dict(target_modules="all-linear", exclude_modules=r".*\.1\..*"),
    dict(target_modules="all-linear", modules_to_save=["mlp"]),
    dict(target_modules=["q_proj", "v_proj"], exclude_modules=["model.layers.0.self_attn.q_proj"]),
    dict(target_modules=["q_proj", "v_proj"], exclude_modules=["0.self_attn.v_proj", "o_proj"]),
    dict(target_modules=["q_proj", "v_proj"], exclude_modules="model.layers.0"),
    dict(target_modules=["q_proj", "v_proj"], exclude_modules="model.layers.0.*"),
    dict(target_modules=".*_proj", exclude_modules=["down_proj"]),
    dict(target_modules=["q_proj", "up_proj"], layers_to_transform=[1]),
    dict(target_modules=["q_proj", "up_proj"], layers_to_transform=1),
    dict(target_modules=["q_proj", "up_proj"], layers_to_transform=0, layers_pattern="layers"),
    dict(target_modules=["q_proj", "up_proj"], layers_to_transform=[0, 1], layers_pattern=["layers"]),
    dict(target_modules=["q_proj", "lm_head"], layers_to_transform=[1]),
    dict(target_modules=["q_proj", "embed_tokens"], layers_to_transform=[1], layers_pattern=["h", "layers"]),
    dict(target_modules=["q_proj", "v_proj"], layers_to_transform=[1], layers_pattern=["lay.*"]),
    dict(target_modules=["model.layers.0.self_attn.q_proj", "v_proj"], layers_to_transform=[1]),
    dict(target_modules=["lm_head", "v_proj"], layers_to_transform=[0]),
    dict(target_modules=["q_proj", "lm_head"], modules_to_save=["lm_head"]),
    dict(target_modules=["q_proj", "up_proj"], modules_to_save=["mlp"]),
    dict(target_modules=["q_proj", "up_proj"], modules_to_save=["up"]),
    dict(target_modules=["q_proj", "up_proj"], modules_to_save=["layers.1"]),
    dict(target_modules=["q_proj", "up_proj", "norm"], modules_to_save=["model.norm"]),
]

PATTERNS = [
    ["q_proj"], ["proj"], ["self_attn.q_proj"], ["attn.q_proj"], ["model.layers.0.self_attn.q_proj"],
    ["^model.layers.0.self_attn.q_proj"], ["^layers.0.self_attn.q_proj"], [".*_proj"], [".*"], ["0.self_attn.q_proj"],
    [r"\d.self_attn.q_proj"], ["layers.*q_proj"], ["(q|v)_proj"], ["q|v_proj"], ["q_proj$"], ["q_pro"],
    ["v_proj", ".*proj", "q_proj"], ["q_proj", "self_attn.q_proj"], ["lm_head"], ["model.lm_head", "head"], ["[qk]_proj"],
]
# For n_frequency_pattern, which has another rule.
FREQUENCY_PATTERNS = PATTERNS + [
    ["model.layers.0.self_attn.q_proj", "q_proj"], ["q_proj", "model.layers.0.self_attn.q_proj"], ["q_proj|v_proj"],
    ["v_proj", "q_proj|v_proj"], ["model.layers.1.self_attn.v_proj", "0.self_attn.v_proj"], ["layers.0", "layers.0.*"],
    ["mlp.up|k"], ["self_attn.q_proj|mlp"],
]


def chosen(arguments):
    config = LoraConfig(task_type="CAUSAL_LM", **arguments)
    _maybe_include_all_linear_layers(config, model)
    return [path for path in PATHS if check_target_module_exists(config, path)]


def first_match(keys):
    found = {path: get_pattern_key(keys, path) for path in PATHS}
    return {path: key for path, key in found.items() if key in keys and key != path}


def frequencies(keys):
    """Each key gives a number of its own, so that the layers tell which one counted."""
    adapted = get_peft_model(copy.deepcopy(model), FourierFTConfig(
        target_modules=r".*(_proj|lm_head)", n_frequency=1, n_frequency_pattern={k: i + 2 for i, k in enumerate(keys)}))
    layers = {path: module.fourierft_n_frequency["default"] for path, module in adapted.base_model.model.named_modules()
              if hasattr(module, "fourierft_n_frequency")}
    return {path: keys[n - 2] for path, n in layers.items() if n > 1}


print(json.dumps({
    "peft": peft.__version__, "paths": PATHS,
    "choices": [{"config": c, "chosen": chosen(c)} for c in CHOICES],
    "patterns": [{"keys": keys, "first": first_match(keys)} for keys in PATTERNS],
    "frequency_patterns": [{"keys": keys, "first": frequencies(keys)} for keys in FREQUENCY_PATTERNS]}, indent=1))
