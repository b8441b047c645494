package io.peft4j.train.runs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where the time of a training went, and what would make it faster on this machine. In an output folder it is the file
 * {@value #FILE}.
 *
 * @param seconds seconds by part, which add up to the whole time. Before the first update: {@code encoding} (rows to
 *     tokens), {@code references} (what an objective holds the model against). Of the updates: {@code data} (order and
 *     batches), {@code products} (with frozen weights, and the adapters' that are computed with them), {@code adapters}
 *     (their other products), {@code attention}, {@code norms}, {@code activation}, {@code loss}, {@code passes} (the
 *     rest of them, such as answers that are drawn), {@code optimizer}, {@code metrics} (files and listeners). Between
 *     them {@code evaluation} and {@code checkpoints}; and what is {@code other}
 * @param steps updates
 * @param advice what would make it faster, each a sentence that begins with the share it is about
 */
public record TrainingProfile(Map<String, Double> seconds, long steps, List<String> advice) {
    /** The file. */
    public static final String FILE = "profile.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Copies the parts in their order, and the sentences. */
    public TrainingProfile {
        seconds = Collections.unmodifiableMap(new LinkedHashMap<>(seconds));
        advice = List.copyOf(advice);
    }

    /** Seconds in all. */
    public double total() {
        return seconds.values().stream().mapToDouble(Double::doubleValue).sum();
    }

    /** The share of a part in the whole time; 0 of what is no part. */
    public double share(String part) {
        return total() == 0 ? 0 : seconds.getOrDefault(part, 0.0) / total();
    }

    /** A part's share and time: {@code 62.1 %, 7.42 s, 117.8 ms an update}. */
    String figure(String part) {
        return String.format(Locale.ROOT, "%.1f %%, %.2f s, %.1f ms an update", 100 * share(part), seconds.get(part),
                1e3 * seconds.get(part) / Math.max(1, steps));
    }

    /** Writes {@value #FILE} into a folder. */
    public void write(Path folder) {
        AtomicFiles.writeString(folder.resolve(FILE), JSON.valueToTree(this).toPrettyString() + "\n");
    }

    /**
     * Reads a file; empty if it is missing.
     *
     * @throws io.peft4j.core.error.FileFormatException when it is not JSON
     */
    static Optional<TrainingProfile> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode root = JsonFiles.read(file);
        Map<String, Double> seconds = new LinkedHashMap<>();
        root.path("seconds").properties().forEach(part -> seconds.put(part.getKey(), part.getValue().asDouble()));
        List<String> advice = new ArrayList<>();
        root.path("advice").forEach(sentence -> advice.add(sentence.asText()));
        return Optional.of(new TrainingProfile(seconds, root.path("steps").asLong(), advice));
    }

    /** A table of the parts, and what would make it faster. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "where the %.1f s of %s went:", total(),
                Count.of(steps, "update")));
        seconds.keySet().stream().filter(part -> share(part) > 0)
                .forEach(part -> text.append(String.format("%n  %-12s", part)).append(figure(part)));
        advice.forEach(sentence -> text.append(String.format("%n  faster: ")).append(sentence));
        return text.toString();
    }
}
