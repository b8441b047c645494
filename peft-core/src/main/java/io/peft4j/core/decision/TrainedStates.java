package io.peft4j.core.decision;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.io.Sha256;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What a model was trained or calibrated on, as hashes of the states, so that a calibration or a test notices rows
 * that are no longer unseen. Case, spaces and punctuation do not count. Of many states those with the smallest hashes
 * are kept: of a file that was trained on, some are always among them.
 *
 * @param hashes at most {@value #MOST}, in their order
 */
@Internal(shared = true)
public record TrainedStates(List<String> hashes) {
    /** The most hashes that are kept. */
    public static final int MOST = 1000;
    /** Nothing is known. */
    public static final TrainedStates NONE = new TrainedStates(List.of());
    private static final int DIGITS = 12;

    /** Copies and sorts. */
    public TrainedStates {
        hashes = smallest(hashes.stream());
    }

    private static List<String> smallest(Stream<String> all) {
        return all.distinct().sorted().limit(MOST).toList();
    }

    /** The same with more states. */
    public TrainedStates with(Collection<JsonNode> states) {
        SortedSet<String> more = new TreeSet<>();
        states.forEach(state -> hash(state).ifPresent(more::add));
        return new TrainedStates(smallest(Stream.concat(hashes.stream(), more.stream())));
    }

    /** Whether a state is among those that are kept. A state without a letter or digit never is. */
    public boolean contains(JsonNode state) {
        return hash(state).filter(hashes::contains).isPresent();
    }

    private static Optional<String> hash(JsonNode state) {
        String words = PythonJson.text(state).toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N}]+", " ").strip();
        return words.isEmpty() ? Optional.empty() : Optional.of(Sha256.of(words).substring(0, DIGITS));
    }
}
