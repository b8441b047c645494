package io.peft4j.core.peft.method;

import io.peft4j.core.peft.config.ConfigReader;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import java.lang.reflect.ParameterizedType;
import java.util.Collection;
import java.util.Map;

/**
 * A method whose configuration is a record with {@link Key}s, which say how it is read and what its options are called,
 * and a {@link PeftType}, which says what the method is called.
 *
 * @param <C> the configuration
 */
public abstract class ConfiguredMethod<C extends Record & PeftConfig> implements PeftMethod {
    private final Class<C> config;
    private final PeftType described;

    /** A method, which is what its configuration says. */
    @SuppressWarnings("unchecked")
    protected ConfiguredMethod() {
        if (!(getClass().getGenericSuperclass() instanceof ParameterizedType type
                && type.getActualTypeArguments()[0] instanceof Class<?> record
                && record.getAnnotation(PeftType.class) != null)) {
            throw new IllegalStateException(getClass() + " must extend ConfiguredMethod<C> with a record C that has a "
                    + "@PeftType");
        }
        this.config = (Class<C>) record;
        this.described = record.getAnnotation(PeftType.class);
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
        return described.name();
    }

    @Override
    public final String description() {
        return described.description();
    }

    @Override
    public final String paper() {
        return described.paper();
    }

    @Override
    public final Map<String, String> optionKeys() {
        Map<String, String> keys = PeftConfig.optionKeys(config);
        keys.keySet().retainAll(SHARED_OPTIONS);
        return Map.copyOf(keys);
    }

    final Collection<String> settings() {
        return PeftConfig.optionKeys(config).values();
    }
}
