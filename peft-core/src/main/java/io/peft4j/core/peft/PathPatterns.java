package io.peft4j.core.peft;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Values by layer path, as in {@code rank_pattern} and {@code alpha_pattern}. A key is a regular expression that
 * matches where it covers the end of the path, from the beginning of one of its parts on; the first key that matches
 * counts.
 *
 * @param <T> type of the values
 */
public final class PathPatterns<T> {
    private static final Logger LOG = LoggerFactory.getLogger(PathPatterns.class);

    private record Entry<T>(String key, PathPattern pattern, T value) {
    }

    private final String name;
    private final List<Entry<T>> entries = new ArrayList<>();

    /**
     * Compiles the keys.
     *
     * @param name the configuration key that they stand in, for messages
     * @param values values by expression; their order counts
     * @throws ConfigurationException when a key is no regular expression
     */
    public PathPatterns(String name, Map<String, T> values) {
        this.name = name;
        values.forEach((key, value) ->
                entries.add(new Entry<>(key, PathPattern.of(name, "(.*\\.)?(" + key + ")$"), value)));
    }

    /** The value of the first key that matches. */
    public Optional<T> first(String path) {
        return entries.stream().filter(entry -> entry.pattern().matchesBeginning(path)).findFirst().map(Entry::value);
    }

    /**
     * Looks for keys that match none of the adapted places: an error for a new adapter, a warning for a stored one.
     *
     * @throws ConfigurationException for a new adapter with such a key
     */
    public void checkUse(AdapterSetup setup, List<Slot> adapted) {
        List<String> unused = entries.stream()
                .filter(entry -> adapted.stream().noneMatch(slot -> entry.pattern().matchesBeginning(slot.path())))
                .map(Entry::key).toList();
        if (unused.isEmpty()) {
            return;
        }
        if (!setup.isRestoring()) {
            throw new ConfigurationException(name + ": " + unused + " match none of the " + adapted.size()
                    + " adapted layers, whose paths look like " + adapted.get(0).path()
                    + "; an expression must cover the end of a path, from the beginning of one of its parts on");
        }
        LOG.warn("{} of the stored adapter: {} match no adapted layer", name, unused);
    }
}
