package io.peft4j.dl4j;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PlacedConfig;
import java.util.List;

/**
 * A method on networks of DeepLearning4J: what it makes of one weight.
 *
 * @param <C> its configuration
 */
interface NetworkMethod<C extends PlacedConfig> {
    /** All of them. */
    List<NetworkMethod<?>> ALL = List.of(new LoraOnNetworks(), new Ia3OnNetworks());

    /** The class of its configuration. */
    Class<C> config();

    /**
     * Refuses what it cannot do on these networks.
     *
     * @param paths of the adapted weights
     * @param stored whether the adapter was stored; then expressions may match nothing
     * @throws ConfigurationException with what to change
     */
    void check(C config, List<String> paths, boolean stored);

    /** What it makes of the weight at a path. */
    WeightUpdate change(C config, String path, Weight weight);

    /** A method with a configuration of its own. */
    record Configured<C extends PlacedConfig>(NetworkMethod<C> method, C config) {
        /** As {@link NetworkMethod#check}. */
        public void check(List<String> paths, boolean stored) {
            method.check(config, paths, stored);
        }

        /** As {@link NetworkMethod#change}. */
        public WeightUpdate change(String path, Weight weight) {
            return method.change(config, path, weight);
        }
    }

    /**
     * The method of a configuration.
     *
     * @throws ConfigurationException when it does not run on these networks
     */
    static Configured<?> of(PeftConfig config) {
        return ALL.stream().filter(method -> method.config().isInstance(config)).findFirst()
                .map(method -> configured(method, config))
                .orElseThrow(() -> new ConfigurationException("method " + config.peftType() + " does not run on "
                        + "networks of DeepLearning4J; use one of "
                        + ALL.stream().map(method -> PeftConfig.peftType(method.config())).toList()));
    }

    private static <C extends PlacedConfig> Configured<C> configured(NetworkMethod<C> method, PeftConfig config) {
        return new Configured<>(method, method.config().cast(config));
    }
}
