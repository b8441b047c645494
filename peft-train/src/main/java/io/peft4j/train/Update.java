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

    /**
     * An update.
     *
     * @param number from 0
     * @param event has begun
     */
    Update(long number, List<List<EncodedExample>> batches, TrainingEvents.Step event) {
        this.number = number;
        this.batches = batches;
        this.examples = batches.stream().flatMap(List::stream).toList();
        this.event = event;
    }

    long number() {
        return number;
    }

    List<List<EncodedExample>> batches() {
        return batches;
    }

    /** What the sum of losses is divided by. */
    double normalizer() {
        return EncodedExample.weight(examples);
    }

    /** Takes the sum of losses of the next batch. */
    void add(double sum) {
        sums.add(sum);
    }

    List<Double> sums() {
        return sums;
    }

    double loss() {
        return sums.stream().mapToDouble(Double::doubleValue).sum() / normalizer();
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
