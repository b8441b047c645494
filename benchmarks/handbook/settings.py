"""What each method is trained with. Methods differ by orders of magnitude in the learning rate they need, so one rate for
all would compare rates; those here are the papers' or Hugging Face PEFT's for the family, none was searched for on the
held-out questions."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """A row: what `peft4j train` is told beside the data, and in words what differs from the method's defaults."""
    title: str
    learning_rate: float
    options: tuple = ()


def lora(title, *options, learning_rate=1e-3):
    return Setting(title, learning_rate, ("--method", "lora", "--rank", "16", "--alpha", "32") + options)


def method(name, learning_rate, *options, **settings):
    extra = [part for key, value in settings.items() for part in ("--adapter-setting", f"{key}={value}")]
    return Setting(name, learning_rate, ("--method", name, *options, *extra))


ALL = ("--target-modules", "all-linear")
RANK = ("--rank", "16", "--alpha", "32", *ALL)

SETTINGS = {
    "lora": lora("LoRA"),
    "rslora": lora("LoRA, rank-stabilized", "--adapter-setting", "use_rslora=true", learning_rate=5e-4),
    "dora": lora("DoRA", "--adapter-setting", "use_dora=true"),
    "pissa": lora("PiSSA", "--adapter-setting", "init_lora_weights=pissa", learning_rate=5e-4),
    "olora": lora("OLoRA", "--adapter-setting", "init_lora_weights=olora", learning_rate=2e-4),
    "lora-plus": lora("LoRA+", "--loraplus-ratio", "16", learning_rate=2e-4),
    "lora-fa": lora("LoRA-FA", "--lora-fa", learning_rate=2e-3),
    "adalora": method("adalora", 3e-3, *RANK, target_r=8, tinit=10, tfinal=20, deltaT=4),
    "loha": method("loha", 2e-3, *RANK),
    "lokr": method("lokr", 3e-3, *RANK),
    "vera": method("vera", 1e-2, *ALL),
    "randlora": method("randlora", 1e-3, *ALL),
    "vblora": method("vblora", 1e-2, *ALL, vector_length=64),
    "miss": method("miss", 5e-4, *ALL),
    "ia3": method("ia3", 2e-2),
    "oft": method("oft", 1e-3, *ALL),
    "boft": method("boft", 3e-3, *ALL),
    "hra": method("hra", 3e-3, *ALL),
    "fourierft": method("fourierft", 2e-2, *ALL),
    "c3a": method("c3a", 1e-2, *ALL, block_size=64),
    "shira": method("shira", 1e-3, *ALL),
    "ln-tuning": method("ln-tuning", 1e-2),
    "bitfit": method("bitfit", 5e-3),
    "bottleneck": method("bottleneck", 1e-3),
    "prompt-tuning": method("prompt-tuning", 3e-2, num_virtual_tokens=20),
    "p-tuning": method("p-tuning", 1e-3, num_virtual_tokens=20),
    "prefix-tuning": method("prefix-tuning", 1e-2, num_virtual_tokens=20),
    "beft": method("beft", 5e-3),
    "road": method("road", 3e-3, *ALL),
    "hira": method("hira", 1e-3, *ALL),
    "delora": method("delora", 1e-3, *ALL),
    "peanut": method("peanut", 1e-3, *ALL),
    "gralora": method("gralora", 1e-3, *RANK),
    "glora": method("glora", 1e-3, *ALL),
    "deft": method("deft", 1e-3, *ALL),
    "supertuning": method("supertuning", 1e-3, *ALL),
    "unilora": method("unilora", 1e-2, *ALL),
    "tinylora": method("tinylora", 1e-2, *ALL),
    "pvera": method("pvera", 1e-2, *ALL),
    "waveft": method("waveft", 2e-2, *ALL),
    "osf": method("osf", 1e-4),
    "frod": method("frod", 1e-3),
    "psoft": method("psoft", 1e-3, *ALL),
    "adamss": method("adamss", 1e-3),
    "lily": method("lily", 1e-3, *ALL),
    "shadow": method("shadow", 1e-3),
    "poly": method("poly", 1e-3, *ALL),
    "multitask-prompt-tuning": method("multitask-prompt-tuning", 3e-2, num_virtual_tokens=20),
    "cartridge": method("cartridge", 1e-2, num_virtual_tokens=20),
    "llama-adapter": method("llama-adapter", 1e-2),
    "full": method("full", 1e-4),
}
