package io.peft4j.core.peft.config;

import io.peft4j.core.peft.method.Targets;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Names of layers, in the forms that Hugging Face PEFT's {@code target_modules} and {@code exclude_modules} have: a
 * list of names (a layer matches where its path equals a name or ends with a dot and the name), a regular expression
 * that the whole path must match, {@code "all-linear"} (as targets only), or nothing.
 *
 * @see Targets
 */
public final class TargetModules {
    /** Nothing is named: JSON null. As targets, the layers that the architecture has by default. */
    public static final TargetModules UNSET = new TargetModules(Optional.empty(), Optional.empty());
    /** All linear layers except the output layer. */
    public static final TargetModules ALL_LINEAR = new TargetModules(Optional.of("all-linear"), Optional.empty());

    private final Optional<String> text;
    private final Optional<List<String>> names;

    private TargetModules(Optional<String> text, Optional<List<String>> names) {
        this.text = text;
        this.names = names;
    }

    /** Layers by name: {@code q_proj}, {@code layers.0.mlp.up_proj}, or a whole path. */
    public static TargetModules of(String... names) {
        return of(List.of(names));
    }

    /** Layers by name. */
    public static TargetModules of(Collection<String> names) {
        return new TargetModules(Optional.empty(), Optional.of(List.copyOf(names)));
    }

    /**
     * Layers whose whole path matches a regular expression, in Python's or Java's notation. As in Hugging Face PEFT,
     * {@code all-linear} is not an expression but {@link #ALL_LINEAR}.
     */
    public static TargetModules regex(String expression) {
        return new TargetModules(Optional.of(expression), Optional.empty());
    }

    /** Whether nothing is named. */
    public boolean isUnset() {
        return text.isEmpty() && names.isEmpty();
    }

    /** Whether all linear layers are meant, written in lower or upper case. */
    public boolean isAllLinear() {
        return text.isPresent() && text.get().toLowerCase(Locale.ROOT).equals("all-linear");
    }

    /** The regular expression, where it is one; also {@code all-linear}. */
    public Optional<String> text() {
        return text;
    }

    /** The names, where it is a list. */
    public Optional<List<String>> names() {
        return names;
    }

    /**
     * Whether a path is meant: the expression matches all of it, or a name equals it or its end from a dot on. Nothing
     * is meant by {@link #UNSET}.
     *
     * @param key the key of the configuration, for messages
     * @throws io.peft4j.core.error.ConfigurationException when the expression is invalid, or takes too long
     */
    public boolean matches(String key, String path) {
        return matcher(key).test(path);
    }

    /** As {@link #matches}, for many paths. */
    public Predicate<String> matcher(String key) {
        if (text.isPresent()) {
            return PathPattern.of(key, text.get())::matchesAll;
        }
        return path -> names.orElse(List.of()).stream().anyMatch(name -> isNamed(path, name));
    }

    /** Of a list of names those that one of the paths is meant by; anything else as it is. */
    public TargetModules among(Collection<String> paths) {
        return names.isEmpty() ? this : of(names.get().stream()
                .filter(name -> paths.stream().anyMatch(path -> isNamed(path, name))).toList());
    }

    /** Whether a path equals a name or ends with a dot and the name. */
    private static boolean isNamed(String path, String name) {
        return path.equals(name) || path.endsWith("." + name);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TargetModules that && text.equals(that.text) && names.equals(that.names);
    }

    @Override
    public int hashCode() {
        return Objects.hash(text, names);
    }

    @Override
    public String toString() {
        return text.orElseGet(() -> names.map(List::toString).orElse("unset"));
    }
}
