package io.peft4j.train.runs;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Trainings that differ in nothing but their seed: how far their ends lie apart is chance, and no difference between
 * two other trainings that is smaller means anything.
 *
 * @param runs two or more
 */
@Internal(shared = true)
public record SeedGroup(List<TrainingRecord> runs) {
    private static final String SEED = "seed";

    /** Copies the list. */
    public SeedGroup {
        runs = List.copyOf(runs);
    }

    /**
     * Where a metric ended, over the seeds.
     *
     * @param mean the mean of the last values
     * @param deviation their standard deviation, with n - 1
     * @param min the smallest
     * @param max the largest
     */
    public record Spread(double mean, double deviation, double min, double max) {
        private static Spread of(double... values) {
            double mean = Arrays.stream(values).average().orElseThrow();
            double squares = Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum();
            return new Spread(mean, Math.sqrt(squares / (values.length - 1)),
                    Arrays.stream(values).min().orElseThrow(),
                    Arrays.stream(values).max().orElseThrow());
        }
    }

    /** The groups among trainings, in their order; those that left no settings are in none. */
    static List<SeedGroup> among(List<TrainingRecord> runs) {
        Map<Map<String, String>, List<TrainingRecord>> alike = new LinkedHashMap<>();
        runs.stream().filter(run -> !run.info().settings().isEmpty()).forEach(run -> {
            Map<String, String> settings = new LinkedHashMap<>(run.info().settings());
            settings.remove(SEED);
            alike.computeIfAbsent(settings, key -> new ArrayList<>()).add(run);
        });
        return alike.values().stream().filter(group -> seeds(group).distinct().count() > 1)
                .map(SeedGroup::new).toList();
    }

    private static Stream<String> seeds(List<TrainingRecord> runs) {
        return runs.stream().map(run -> run.info().settings().getOrDefault(SEED, ""));
    }

    /** The names of the trainings. */
    public List<String> names() {
        return runs.stream().map(TrainingRecord::name).toList();
    }

    /** What the trainings reached, by metric: those that all of them have. */
    public Map<String, Spread> spreads() {
        Map<String, Spread> spreads = new LinkedHashMap<>();
        Metrics.reached(runs.get(0).metrics().keySet()).stream()
                .filter(name -> runs.stream().allMatch(run -> run.last(name).isPresent()))
                .forEach(name -> spreads.put(name, Spread.of(runs.stream()
                        .mapToDouble(run -> run.last(name).getAsDouble()).toArray())));
        return spreads;
    }
}
