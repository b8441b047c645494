package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.config.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Values by layer path. A key is a regular expression that matches where it covers the end of the path, from the
 * beginning of one of its parts on; the first key that matches counts. Hugging Face PEFT has two rules for that:
 *
 * <ul>
 * <li>that of {@code rank_pattern} and {@code alpha_pattern}: {@code (.*\.)?(key)$};
 * <li>that of {@link #belowAnother}: {@code .*\.key$}, so that a key is not one group ({@code q_proj|v_proj} is {@code
 *     .*\.q_proj} or {@code v_proj$}) and none covers a whole path; where none matches, the key that equals the path.
 * </ul>
 *
 * @param <T> type of the values
 */
@Internal(shared = true)
public final class PathPatterns<T> {
    private static final Logger LOG = LoggerFactory.getLogger(PathPatterns.class);

    private record Entry<T>(String key, PathPattern pattern, T value) {
        boolean matches(String path) {
            return pattern.matchesBeginning(path);
        }
    }

    private final String name;
    /** Whether a key that equals the path counts where no expression matches. */
    private final boolean wholePaths;
    private final List<Entry<T>> entries = new ArrayList<>();

    /**
     * Compiles the keys.
     *
     * @param name the configuration key that they stand in, for messages
     * @param values values by expression; their order counts
     * @throws ConfigurationException when a key is not a regular expression
     */
    public PathPatterns(String name, Map<String, T> values) {
        this(name, values, "(.*\\.)?(", ")$", false);
    }

    private PathPatterns(String name, Map<String, T> values, String before, String after, boolean wholePaths) {
        this.name = name;
        this.wholePaths = wholePaths;
        values.forEach(
                (key, value) -> entries.add(new Entry<>(key, PathPattern.of(name, before + key + after), value)));
    }

    /**
     * By the second rule, that of {@code n_frequency_pattern} and {@code block_size_pattern}.
     *
     * @param name the configuration key that they stand in, for messages
     * @param values values by expression; their order counts
     * @throws ConfigurationException when a key is not a regular expression
     */
    public static <T> PathPatterns<T> belowAnother(String name, Map<String, T> values) {
        return new PathPatterns<>(name, values, ".*\\.", "$", true);
    }

    /** The value of the first key that matches. */
    public Optional<T> first(String path) {
        return deciding(path).map(Entry::value);
    }

    private Optional<Entry<T>> deciding(String path) {
        return entries.stream().filter(entry -> entry.matches(path)).findFirst().or(() -> entries.stream()
                .filter(entry -> wholePaths && entry.key().equals(path)).findFirst());
    }

    /**
     * Looks for keys that match none of the adapted places, or, being whole paths, come after others there: an error
     * for a new adapter, a warning for a stored one.
     *
     * @param stored whether the adapter is a stored one
     * @param adapted the paths of the adapted places
     * @throws ConfigurationException for a new adapter with such a key
     */
    public void checkUse(boolean stored, List<String> adapted) {
        List<String> unused = entries.stream()
                .filter(entry -> adapted.stream().noneMatch(path -> entry.matches(path)
                        || deciding(path).filter(entry::equals).isPresent()))
                .map(Entry::key).toList();
        if (unused.isEmpty()) {
            return;
        }
        if (!stored) {
            throw new ConfigurationException(name + ": " + unused + " match none of the " + adapted.size()
                    + " adapted layers, whose paths look like " + adapted.get(0) + "; an expression must match "
                    + "the end of a path, from the start of one of its parts" + (wholePaths ? ", and whole "
                            + "paths apply only if no other key matches" : ""));
        }
        LOG.warn("{} of the stored adapter: {} match no adapted layer", name, unused);
    }
}
