package io.peft4j.train.sweep;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.train.sweep.SweepResult.Trial;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * What a sweep has found.
 *
 * @param trials all trials, in the order they were chosen
 * @param folder where their folders, {@code sweep.json} and {@code sweep.html} are
 */
public record SweepResult(List<Trial> trials, Path folder) {
    /** Copies the list. */
    public SweepResult {
        trials = List.copyOf(trials);
    }

    /** The finished trial with the lowest loss on the validation data. */
    public Optional<Trial> best() {
        return best(trials);
    }

    static Optional<Trial> best(List<Trial> trials) {
        return ranked(trials).stream().filter(trial -> trial.state() == Trial.State.FINISHED).findFirst();
    }

    /** Finished trials by their loss, then those that were stopped, then all others. */
    static List<Trial> ranked(List<Trial> trials) {
        return trials.stream()
                .sorted(Comparator.comparingInt(
                        (Trial trial) -> trial.state() == Trial.State.FINISHED ? 0 : trial.loss().isPresent() ? 1 : 2)
                        .thenComparingDouble(trial -> trial.loss().orElse(Double.POSITIVE_INFINITY)))
                .toList();
    }

    /** The folder of a trial: an adapter, and an ordinary output folder of a training. */
    public Path folder(Trial trial) {
        return folder.resolve(trial.name());
    }

    /** The table of all trials, the best first; its columns are as wide as they need. */
    public String table() {
        Set<String> names = new LinkedHashSet<>();
        trials.forEach(trial -> names.addAll(trial.values().keySet()));
        List<List<String>> rows = new ArrayList<>();
        List<String> header = new ArrayList<>(List.of("trial", "eval_loss", "state", "steps"));
        header.addAll(names);
        rows.add(header);
        for (Trial trial : ranked(trials)) {
            List<String> row = new ArrayList<>(List.of(trial.name(), trial.loss().isPresent()
                    ? String.format(Locale.ROOT, "%.4f", trial.loss().getAsDouble()) : "-",
                    trial.state().name().toLowerCase(Locale.ROOT), String.valueOf(trial.steps())));
            names.forEach(name -> row.add(trial.values().containsKey(name) ? shown(trial.values().get(name)) : "-"));
            rows.add(row);
        }
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                int column = i;
                int width = rows.stream().mapToInt(each -> each.get(column).length()).max().orElse(0);
                line.append(String.format(Locale.ROOT, "%-" + (width + 2) + "s", row.get(i)));
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** A trial as {@code sweep.json} has it. */
    public static ObjectNode json(Trial trial) {
        return SweepFile.json(trial);
    }

    /**
     * The trial that {@link #json} wrote; its time is rounded.
     *
     * @throws io.peft4j.core.error.FileFormatException when it is none
     */
    public static Trial trial(JsonNode json) {
        return SweepFile.trial(Path.of(SweepFile.NAME), json);
    }

    /** A value as people read it. */
    static String shown(JsonNode value) {
        return value.isTextual() ? value.asText() : value.isDouble()
                ? String.format(Locale.ROOT, "%.4g", value.asDouble()) : value.toString();
    }

    @Override
    public String toString() {
        return table();
    }

    /**
     * One training of a sweep.
     *
     * @param number from 1
     * @param values what it was trained with, by option
     * @param state its state
     * @param loss the loss on the validation data of the adapter that it left, where it was measured
     * @param steps updates done
     * @param seconds time it took; of trials that ran side by side that of all together
     * @param message why it failed, where it did
     */
    public record Trial(int number, Map<String, JsonNode> values, State state, OptionalDouble loss, long steps,
            double seconds, Optional<String> message) {
        /** The state of a trial. */
        public enum State {
            /** Chosen, and perhaps begun. */
            OPEN,
            /** Stopped for a while by successive halving. */
            PAUSED,
            /** Stopped for good by successive halving: others were better. */
            DROPPED,
            /** Trained to its end. */
            FINISHED,
            /** Failed. */
            FAILED
        }

        /** Copies the values in their order. */
        public Trial {
            values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
        }

        static Trial open(int number, Map<String, JsonNode> values) {
            return new Trial(number, values, State.OPEN, OptionalDouble.empty(), 0, 0, Optional.empty());
        }

        /** The name of its folder. */
        public String name() {
            return String.format(java.util.Locale.ROOT, "trial-%03d", number);
        }

        Trial with(State other) {
            return new Trial(number, values, other, loss, steps, seconds, message);
        }

        Trial after(State other, double measured, long stepsDone, double more) {
            return new Trial(number, values, other, OptionalDouble.of(measured), stepsDone, seconds + more, message);
        }

        Trial failed(String why) {
            return new Trial(number, values, State.FAILED, OptionalDouble.empty(), steps, seconds, Optional.of(why));
        }
    }
}
