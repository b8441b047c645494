package io.peft4j.train;

import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.List;

/** An update that is being computed: its batches, and the loss of those that are done. */
final class Update {
    private final long number;
    private final List<List<EncodedExample>> batches;
    private final List<EncodedExample> examples;
    private final TrainingEvents.Step event;
    private final long begin = System.nanoTime();
    private final Measures measures = new Measures();
    private final List<Double> sums = new ArrayList<>();
    private final List<Double> passSeconds = new ArrayList<>();
    private final PartSums parts;

    /**
     * An update.
     *
     * @param number from 0
     * @param counts what the mean loss of each part of the examples counts
     * @param event has begun
     */
    Update(long number, List<List<EncodedExample>> batches, List<Double> counts, TrainingEvents.Step event) {
        this.number = number;
        this.batches = batches;
        this.examples = batches.stream().flatMap(List::stream).toList();
        this.parts = new PartSums(counts, examples);
        this.event = event;
    }

    long number() {
        return number;
    }

    List<List<EncodedExample>> batches() {
        return batches;
    }

    /** What the sum of losses of a batch is divided by. */
    double normalizer(List<EncodedExample> batch) {
        return parts.normalizer(batch);
    }

    /** Takes the sum of losses of the next batch. */
    void add(double sum) {
        parts.add(batches.get(sums.size()), sum);
        sums.add(sum);
    }

    /** Notes how long the next batch took. */
    void took(double seconds) {
        passSeconds.add(seconds);
    }

    /** How long each batch took, those of other workers 0. */
    List<Double> passSeconds() {
        return passSeconds;
    }

    List<Double> sums() {
        return sums;
    }

    double loss() {
        return parts.loss();
    }

    Measures measures() {
        return measures;
    }

    long tokens() {
        return examples.stream().mapToLong(EncodedExample::tokens).sum();
    }

    long supervised() {
        return examples.stream().mapToLong(EncodedExample::supervised).sum();
    }

    TrainingEvents.Step event() {
        return event;
    }

    double seconds(long end) {
        return Math.max(1, end - begin) / 1e9;
    }
}
