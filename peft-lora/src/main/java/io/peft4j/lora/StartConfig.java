package io.peft4j.lora;

/** What an {@link Initialization} is told beyond its name, under a key of its own in {@code adapter_config.json}. */
sealed interface StartConfig permits EvaConfig, CordaConfig, LoraGaConfig, LoftQConfig {
    /** The key. */
    String key();

    /** The value, a JSON object with the names of Hugging Face PEFT. */
    String toJson();

    /** Whether alphas are computed from ranks. Hugging Face PEFT then writes whole ones with a fraction, too. */
    default boolean computesAlphas() {
        return false;
    }
}
