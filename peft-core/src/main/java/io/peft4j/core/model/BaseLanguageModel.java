package io.peft4j.core.model;

import io.peft4j.core.nn.LayerSelection;
import java.util.List;

/**
 * A base model: owns the network, and generates for any choice of layers, so that adapters on it need no generator of
 * their own. Closing it frees all native memory; adapters on it are unusable afterwards.
 */
public interface BaseLanguageModel extends LanguageModel, AutoCloseable {
    /** As {@link #generate(List, GenerationOptions)}, with the layers that {@code layers} chooses. */
    List<Completion> generate(LayerSelection layers, List<Prompt> prompts, GenerationOptions options);

    /**
     * Names of the layers that an adapter takes where its config names none, as Hugging Face PEFT has them for the
     * architecture: {@code q_proj} and {@code v_proj} for Llama.
     */
    List<String> defaultTargetModules();

    @Override
    default LayerSelection layers() {
        return LayerSelection.BASE;
    }

    @Override
    default List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        return generate(layers(), prompts, options);
    }

    @Override
    void close();
}
