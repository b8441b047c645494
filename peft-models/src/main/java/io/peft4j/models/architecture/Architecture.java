package io.peft4j.models.architecture;

import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A family of models: builds the network that a {@code config.json} describes. Found by
 * {@link java.util.ServiceLoader}; a new one is one class and one line of registration.
 */
public interface Architecture {
    /** The {@code model_type} of {@code config.json}, for instance {@code llama}. */
    String modelType();

    /**
     * The last parts of the paths of all layers with a matrix, for instance {@code q_proj}: what a target module can be
     * called, known before any model is there.
     */
    List<String> layerNames();

    /** Names of layers that an adapter takes where its config names none. */
    List<String> defaultTargetModules();

    /** What the family's GGUF files look like; empty where that is not known here, or llama.cpp does not have it. */
    default Optional<GgufForm> gguf() {
        return Optional.empty();
    }

    /** What models of the family are for where their {@code config.json} does not say. */
    default Task.Type defaultTask() {
        return Task.Type.CAUSAL_LM;
    }

    /** What distinguishes a model of the family from Llama, in a few words each. */
    default List<String> traits(ModelConfig config) {
        return List.of();
    }

    /** The keys of a configuration that the family reads; empty where that is not known. */
    default Set<String> configKeys(ModelConfig config) {
        return Set.of();
    }

    /**
     * Builds the network.
     *
     * @param name the name it was asked for by
     * @param config the model's configuration
     * @param weights the checkpoint's tensors, in the types the network is to compute with
     * @param task what it is built for
     * @throws io.peft4j.core.error.ConfigurationException when models of the family have no head for the task
     * @throws io.peft4j.core.error.PeftException when a value or a tensor is missing, has the wrong shape or asks for
     *     something that is not supported
     */
    Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task);

    /** As {@link #build(String, ModelConfig, WeightLoader, TaskPlan)}, for what the checkpoint says that it is for. */
    default Network build(String name, ModelConfig config, WeightLoader weights) {
        return build(name, config, weights, TaskPlan.of(config, defaultTask()));
    }
}
