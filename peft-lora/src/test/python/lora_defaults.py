"""The default LoraConfig as Hugging Face PEFT writes it: lora_defaults.json. Made with peft 0.21.2, transformers 5.24.0.

    python lora_defaults.py ../resources/io/peft4j/lora
"""
import sys
from pathlib import Path

from peft import LoraConfig

folder = Path(sys.argv[1])
LoraConfig(task_type="CAUSAL_LM").save_pretrained(folder)
(folder / "adapter_config.json").rename(folder / "lora_defaults.json")
