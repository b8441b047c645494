package io.peft4j.core;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Function;

/** What jars on the class path register by a line in {@code META-INF/services}. */
public final class Registered {
    private Registered() {
    }

    /**
     * Everything registered for a type, in the order of the lines and of the class path.
     *
     * @param name tells them apart
     * @throws IllegalStateException when two classes are registered under one name
     */
    public static <T> List<T> all(Class<T> type, Function<T, String> name) {
        Map<String, T> found = new LinkedHashMap<>();
        // Where an application server or a shell sets its own context loader, the library's loader may know more.
        for (ClassLoader loader : new ClassLoader[] {type.getClassLoader(),
            Thread.currentThread().getContextClassLoader()}) {
            for (T each : ServiceLoader.load(type, loader)) {
                T other = found.putIfAbsent(name.apply(each), each);
                if (other != null && !other.getClass().getName().equals(each.getClass().getName())) {
                    throw new IllegalStateException(other.getClass().getName() + " and " + each.getClass().getName()
                            + " are both registered for " + name.apply(each));
                }
            }
        }
        return List.copyOf(found.values());
    }
}
