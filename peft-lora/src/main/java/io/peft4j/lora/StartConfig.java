package io.peft4j.lora;

/** What an {@link Initialization} is told beyond its name, under a key of its own in {@code adapter_config.json}. */
sealed interface StartConfig permits EvaConfig, CordaConfig, LoraGaConfig, LoftQConfig {
    /** The key. */
    String key();

    /** The value, a JSON object with the names of Hugging Face PEFT. */
    String toJson();
}
