package io.peft4j.core.peft.config;

import java.lang.reflect.Proxy;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Builds a configuration record. A record's builder is an interface that extends this one and has a method for each
 * value, named as the component and with its type; there is no class to write. The interfaces of PEFT4J's own methods
 * are written by its annotation processor while they are compiled; by hand one is:
 *
 * <pre>{@code
 * public record HraConfig(CommonConfig common, @Group Placement placement, @Key(value = "r", fallback = "8") int rank)
 * {
 *     public static Builder builder() {
 *         return ConfigBuilder.of(Builder.class, HraConfig.class);
 *     }
 *
 *     public interface Builder extends PlacedBuilder<HraConfig, Builder> {
 *         Builder rank(int value);
 *     }
 * }
 * }</pre>
 *
 * @param <C> the configuration
 */
public interface ConfigBuilder<C> {
    /**
     * The configuration.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, two contradict each other, or
     *     one is set that the method does not have
     */
    C build();

    /** A builder with the defaults that stand in the record's {@link Key}s, which are Hugging Face PEFT's. */
    static <C extends Record, B extends ConfigBuilder<C>> B of(Class<B> builder, Class<C> config) {
        ConfigSchema schema = ConfigSchema.of(config);
        return proxy(builder, schema, schema.defaults());
    }

    /** A builder with the values of a configuration. */
    static <C extends Record, B extends ConfigBuilder<C>> B from(Class<B> builder, C config) {
        ConfigSchema schema = ConfigSchema.of(config.getClass());
        Map<String, Object> values = new LinkedHashMap<>(schema.defaults());
        schema.take(config, values);
        return proxy(builder, schema, values);
    }

    private static <B> B proxy(Class<B> builder, ConfigSchema schema, Map<String, Object> values) {
        return builder.cast(Proxy.newProxyInstance(builder.getClassLoader(), new Class<?>[] {builder},
                new BuilderCalls(builder, schema, values)));
    }
}
