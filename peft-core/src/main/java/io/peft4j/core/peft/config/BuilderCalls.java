package io.peft4j.core.peft.config;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Objects;

/** The calls of a {@link ConfigBuilder}: each sets a component, {@code build} makes the record. */
final class BuilderCalls implements InvocationHandler {
    private final Class<?> builder;
    private final ConfigSchema schema;
    private final Map<String, Object> values;

    /** Checks that each of the interface's methods has a component. */
    BuilderCalls(Class<?> builder, ConfigSchema schema, Map<String, Object> values) {
        this.builder = builder;
        this.schema = schema;
        this.values = values;
        for (Method method : builder.getDeclaredMethods()) {
            if (!method.isDefault() && !method.isSynthetic() && !schema.has(method.getName(),
                    method.getParameterTypes())) {
                throw new IllegalStateException(method + " sets no component of " + schema.type().getSimpleName());
            }
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            return switch (method.getName()) {
                case "equals" -> proxy == arguments[0];
                case "hashCode" -> System.identityHashCode(proxy);
                default -> builder.getName() + values;
            };
        }
        if (method.isDefault()) {
            return InvocationHandler.invokeDefault(proxy, method, arguments);
        }
        if (arguments == null) {
            return schema.make(values);
        }
        schema.set(values, method.getName(), Objects.requireNonNull(arguments[0], method.getName()));
        return proxy;
    }
}
