package io.peft4j.train.internal.task;

import io.peft4j.train.internal.pass.Measures;
import io.peft4j.train.internal.report.TrainingEvents;
import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.List;

/** An update that is being computed: its batches, and the loss of those that are done. */
public final class Update {
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
    public Update(long number, List<List<EncodedExample>> batches, List<Double> counts, TrainingEvents.Step event) {
        this.number = number;
        this.batches = batches;
        this.examples = batches.stream().flatMap(List::stream).toList();
        this.parts = new PartSums(counts, examples);
        this.event = event;
    }

    /** Its number, from 0. */
    public long number() {
        return number;
    }

    /** Its batches, those of each objective after each other. */
    public List<List<EncodedExample>> batches() {
        return batches;
    }

    /** What the sum of losses of a batch is divided by. */
    public double normalizer(List<EncodedExample> batch) {
        return parts.normalizer(batch);
    }

    /** Takes the sum of losses of the next batch. */
    public void add(double sum) {
        parts.add(batches.get(sums.size()), sum);
        sums.add(sum);
    }

    /** Notes how long the next batch took. */
    public void took(double seconds) {
        passSeconds.add(seconds);
    }

    /** How long each batch took, those of other workers 0. */
    public List<Double> passSeconds() {
        return passSeconds;
    }

    /** The sums of losses of the batches that are computed. */
    public List<Double> sums() {
        return sums;
    }

    /** The mean loss of all examples. */
    public double loss() {
        return parts.loss();
    }

    /** What was measured beside the loss. */
    public Measures measures() {
        return measures;
    }

    /** Tokens of all examples. */
    public long tokens() {
        return examples.stream().mapToLong(EncodedExample::tokens).sum();
    }

    /** Those of them that are learned. */
    public long supervised() {
        return examples.stream().mapToLong(EncodedExample::supervised).sum();
    }

    /** The event that says what it took. */
    public TrainingEvents.Step event() {
        return event;
    }

    /** How long it took until a time of {@link System#nanoTime}, above 0. */
    public double seconds(long end) {
        return Math.max(1, end - begin) / 1e9;
    }
}
