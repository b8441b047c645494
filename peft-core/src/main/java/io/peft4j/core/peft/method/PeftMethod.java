package io.peft4j.core.peft.method;

import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.PeftConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A method of parameter-efficient fine-tuning. Found by {@link java.util.ServiceLoader} (see {@link PeftMethods}): a
 * new method is a configuration record, a layer class and a {@link ConfiguredMethod} that is registered.
 */
public interface PeftMethod {
    /** The names of the options that many methods share. */
    List<String> SHARED_OPTIONS = List.of("rank", "alpha", "dropout", "target-modules");

    /** The id in {@code adapter_config.json}, for instance {@code LORA}. */
    String peftType();

    /** The name on the command line, for instance {@code lora}. */
    String name();

    /** One sentence: what it trains. */
    String description();

    /** The address of the paper. */
    String paper();

    /** Whether Hugging Face PEFT has the method, so that it loads the method's adapters. */
    default boolean isInHuggingFacePeft() {
        return true;
    }

    /** Why Hugging Face PEFT does not answer as this library with a file of the method that it has; as a rule empty. */
    default Optional<String> huggingFaceObstacle() {
        return Optional.empty();
    }

    /**
     * The method's names for the {@link #SHARED_OPTIONS}: from an option to a key of the configuration. An option that
     * is not listed does not exist for the method.
     */
    Map<String, String> optionKeys();

    /**
     * Keys of the configuration that have no default, each with a value as JSON text for an example; most methods have
     * none.
     */
    default Map<String, String> exampleSettings() {
        return Map.of();
    }

    /**
     * Reads a configuration; keys that are absent take Hugging Face PEFT's defaults.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is wrong, or a key switches on what this version
     *     cannot do
     */
    PeftConfig readConfig(ConfigReader reader);

    /**
     * Makes an adapter, new or with the values of a file; which of the two is {@code setup}'s business.
     *
     * @param config a configuration of this method
     * @param setup the base model, and where the values of the adapter's tensors come from
     * @throws io.peft4j.core.error.TargetModuleException when the targets do not fit the model
     * @throws io.peft4j.core.error.ConfigurationException when the configuration does not fit the model
     */
    Adapter create(PeftConfig config, AdapterSetup setup);
}
