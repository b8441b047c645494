package io.peft4j.train.runs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.JsonFiles;
import io.peft4j.core.option.With;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * What a training says of itself in the file {@value #FILE} of its output folder, apart from its metrics.
 *
 * @param state its state
 * @param failure why it failed, where it did
 * @param warnings what it was warned of
 * @param bestStep the updates that the adapter in the folder has, where it is the best and not the last one
 * @param seconds time since it began or was resumed, where it has ended
 * @param peakResidentBytes the most memory that its process has had resident, where it has ended and the system tells
 * @param plan what it set out to do, numbers by name: {@code examples, left_out, tokens, supervised_tokens,
 *     steps_per_epoch, total_steps, done_steps, trainable_parameters}
 * @param settings what decides its course, by name
 * @param learned which rows it has learned and what began its end, where it has ended and its objective tells
 */
@With
public record RunInfo(State state, Optional<String> failure, List<String> warnings, OptionalLong bestStep,
        OptionalDouble seconds, OptionalLong peakResidentBytes, Map<String, Long> plan, Map<String, String> settings,
        Optional<LearnedRows> learned) implements RunInfoWith {
    /** The file. */
    public static final String FILE = "run.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The state of a training. */
    public enum State {
        /** It runs. */
        RUNNING,
        /** It has done all its updates. */
        FINISHED,
        /** It was stopped in order. */
        STOPPED,
        /** The loss on the validation data did not fall any more, or the rewards collapsed. */
        STOPPED_EARLY,
        /** Its time was over. */
        OUT_OF_TIME,
        /** An error ended it. */
        FAILED,
        /** Its process ended without a word. */
        INTERRUPTED,
        /** It left no word about itself, only metrics. */
        UNKNOWN;

        /** As in the file and in JSON. */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Copies list and maps in their order. */
    public RunInfo {
        warnings = List.copyOf(warnings);
        plan = Collections.unmodifiableMap(new LinkedHashMap<>(plan));
        settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    }

    /** One that has begun. */
    public static RunInfo running(Map<String, Long> plan, Map<String, String> settings) {
        return new RunInfo(State.RUNNING, Optional.empty(), List.of(), OptionalLong.empty(), OptionalDouble.empty(),
                OptionalLong.empty(), plan, settings, Optional.empty());
    }

    /** Of a training that left none. */
    static RunInfo unknown() {
        return running(Map.of(), Map.of()).withState(State.UNKNOWN);
    }

    /**
     * Writes {@value #FILE} into a folder.
     *
     * @throws UncheckedIOException when it cannot be written
     */
    public void write(Path folder) {
        ObjectNode root = JSON.createObjectNode().put("state", state.word());
        failure.ifPresent(why -> root.put("failure", why));
        warnings.forEach(root.putArray("warnings")::add);
        bestStep.ifPresent(step -> root.put("best_step", step));
        seconds.ifPresent(time -> root.put("seconds", time));
        peakResidentBytes.ifPresent(bytes -> root.put("peak_resident_bytes", bytes));
        plan.forEach(root.putObject("plan")::put);
        settings.forEach(root.putObject("settings")::put);
        learned.ifPresent(rows -> root.set("learned", JSON.valueToTree(rows)));
        AtomicFiles.writeString(folder.resolve(FILE), root.toPrettyString() + "\n");
    }

    /**
     * Reads {@value #FILE} of a folder; one that is not there leaves all unknown.
     *
     * @throws FileFormatException when it is no JSON object or has another state
     * @throws UncheckedIOException when it cannot be read
     */
    public static RunInfo read(Path folder) {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? of(JsonFiles.read(file), file) : unknown();
    }

    private static RunInfo of(JsonNode root, Path file) {
        String word = root.path("state").asText();
        List<String> words = Arrays.stream(State.values()).map(State::word).toList();
        if (!words.contains(word)) {
            throw new FileFormatException(file, "has the state '" + word + "'; " + SimilarNames.sentence(word, words));
        }
        Map<String, Long> plan = new LinkedHashMap<>();
        root.path("plan").properties().forEach(field -> {
            if (field.getValue().canConvertToLong()) {
                plan.put(field.getKey(), field.getValue().asLong());
            }
        });
        Map<String, String> settings = new LinkedHashMap<>();
        root.path("settings").properties().forEach(field -> settings.put(field.getKey(), field.getValue().asText()));
        List<String> warnings = new ArrayList<>();
        root.path("warnings").forEach(warning -> warnings.add(warning.asText()));
        JsonNode seconds = root.path("seconds");
        return new RunInfo(State.values()[words.indexOf(word)],
                Optional.of(root.path("failure")).filter(JsonNode::isTextual).map(JsonNode::asText), warnings,
                whole(root.path("best_step")),
                seconds.isNumber() ? OptionalDouble.of(seconds.asDouble()) : OptionalDouble.empty(),
                whole(root.path("peak_resident_bytes")), plan, settings,
                Optional.of(root.path("learned")).filter(JsonNode::isObject)
                        .map(node -> JSON.convertValue(node, LearnedRows.class)));
    }

    private static OptionalLong whole(JsonNode value) {
        return value.canConvertToLong() ? OptionalLong.of(value.asLong()) : OptionalLong.empty();
    }

    /**
     * Which rows a training has learned, and what began its end. A row is learned when all of it was predicted right as
     * it was seen last: each token of an answer was the likeliest, or the label was right. General rows that are mixed
     * in against forgetting are not among them.
     *
     * @param learned number of rows that are learned
     * @param rows number of rows
     * @param unlearned the numbers of the others, in their order
     * @param reason why the rate began to fall when it did
     * @param stableEpochs epochs before that
     * @param epochs epochs in all
     */
    public record LearnedRows(long learned, long rows, List<Long> unlearned, Reason reason, double stableEpochs,
            double epochs) {
        /** The most numbers of rows that are shown. */
        private static final int SHOWN = 20;

        /** Why the rate of a training began to fall, or why it ended. */
        public enum Reason {
            /** The numbers of updates were given, and nothing decided. */
            GIVEN("trained as long as given"),
            /** The share of the rows that was waited for was learned. */
            LEARNED("enough was learned"),
            /** Neither the learned rows nor their loss had become better for two epochs. */
            NO_PROGRESS("nothing had improved for 2 epochs"),
            /** The measure on the validation data had not become better for two epochs. */
            VALIDATION("the validation data had not improved for 2 epochs"),
            /** There were no more epochs. */
            EPOCHS("ended by the bound of epochs"),
            /** There were no more updates. */
            MAX_STEPS("ended by the bound max_steps"),
            /** There was no more time. */
            TIME_BUDGET("ended by the bound time_budget");

            private final String words;

            Reason(String words) {
                this.words = words;
            }

            /** Whether what was learned ended it, and no limit. */
            public boolean isByItself() {
                return this == LEARNED || this == NO_PROGRESS || this == VALIDATION;
            }

            /** In words, for a log. */
            public String words() {
                return words;
            }
        }

        /** Copies the numbers. */
        public LearnedRows {
            unlearned = List.copyOf(unlearned);
        }

        /** The rows that are not learned and may be wrong: none where most are not learned since there was no time. */
        public List<Long> suspects() {
            return !reason.isByItself() && 2 * unlearned.size() > rows ? List.of() : unlearned;
        }

        /** What is not learned, as a sentence without its end; empty if all is. */
        public String listed() {
            return unlearned.isEmpty() ? "" : suspects().isEmpty()
                    ? "most rows are not learned yet, so train longer before you look at single ones"
                    : "not learned, so look whether they are wrong or contradict others: row "
                            + unlearned.stream().limit(SHOWN).map(String::valueOf).collect(Collectors.joining(", "))
                            + (unlearned.size() > SHOWN ? " and " + (unlearned.size() - SHOWN) + " more" : "");
        }

        /** In one line: how many are learned, why the training ended, and which are not. */
        @Override
        public String toString() {
            return summary() + (unlearned.isEmpty() ? "" : "; " + listed());
        }

        /** How many are learned, and why the training ended. */
        public String summary() {
            String course = reason == Reason.GIVEN ? String.format(Locale.ROOT, "after %.1f epochs", epochs)
                    : String.format(Locale.ROOT, "after %.1f epochs: %s after %.1f, the rate fell over %.1f more",
                            epochs,
                            reason.words, stableEpochs, epochs - stableEpochs);
            return learned + " of " + rows + " rows learned " + course;
        }
    }
}
