package io.peft4j.core.peft.method;

import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import java.util.Map;
import java.util.Objects;

/**
 * A method whose configuration is a record with {@link Key}s, which say how it is read and what its options are called.
 *
 * @param <C> the configuration
 */
public abstract class ConfiguredMethod<C extends Record & PeftConfig> implements PeftMethod {
    private final Class<C> config;
    private final String name;
    private final String description;
    private final String paper;

    /**
     * A method.
     *
     * @param config its configuration, which has a {@link PeftType}
     * @param name its name on the command line
     * @param description one sentence: what it trains
     * @param paper the address of the paper
     */
    protected ConfiguredMethod(Class<C> config, String name, String description, String paper) {
        this.config = Objects.requireNonNull(config, "config");
        this.name = Objects.requireNonNull(name, "name");
        this.description = Objects.requireNonNull(description, "description");
        this.paper = Objects.requireNonNull(paper, "paper");
    }

    /** Makes an adapter, as {@link #create} says. */
    protected abstract Adapter adapter(C config, AdapterSetup setup);

    @Override
    public final Adapter create(PeftConfig any, AdapterSetup setup) {
        return adapter(config.cast(any), setup);
    }

    @Override
    public final C readConfig(ConfigReader reader) {
        return reader.record(config);
    }

    @Override
    public final String peftType() {
        return PeftConfig.peftType(config);
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final String description() {
        return description;
    }

    @Override
    public final String paper() {
        return paper;
    }

    @Override
    public final Map<String, String> optionKeys() {
        Map<String, String> keys = PeftConfig.optionKeys(config);
        keys.keySet().retainAll(SHARED_OPTIONS);
        return Map.copyOf(keys);
    }
}
