package io.peft4j.train;

import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;

/**
 * Batches that are computed for an update or a measurement, with the losses of those that are done. Their loss is the
 * mean of each part of the examples ({@link EncodedExample#part}) times what the part counts; most trainings have one.
 */
final class BatchLosses {
    private final List<List<EncodedExample>> batches;
    private final List<Double> counts;
    private final long begin = System.nanoTime();
    private final Measures measures = new Measures();
    private final List<DoubleSummaryStatistics> weights = new ArrayList<>();
    private final List<DoubleSummaryStatistics> losses = new ArrayList<>();
    private final List<Double> sums = new ArrayList<>();
    private final List<Double> passSeconds = new ArrayList<>();

    /**
     * Nothing is computed yet.
     *
     * @param batches those of each part after each other
     * @param counts what the mean loss of each part counts
     */
    public BatchLosses(List<List<EncodedExample>> batches, List<Double> counts) {
        this.batches = batches;
        this.counts = counts;
        counts.forEach(part -> {
            weights.add(new DoubleSummaryStatistics());
            losses.add(new DoubleSummaryStatistics());
        });
        examples().forEach(example -> weights.get(example.part()).accept(example.weight()));
    }

    /** Examples in batches of at most {@code size}, in their order, each of one part. */
    public static List<List<EncodedExample>> batches(List<EncodedExample> examples, int size) {
        List<List<EncodedExample>> batches = new ArrayList<>();
        int from = 0;
        for (int i = 1; i <= examples.size(); i++) {
            if (i == examples.size() || i - from == size || examples.get(i).part() != examples.get(from).part()) {
                batches.add(examples.subList(from, i));
                from = i;
            }
        }
        return batches;
    }

    /** The batches. */
    public List<List<EncodedExample>> batches() {
        return batches;
    }

    /** All examples of the batches. */
    public List<EncodedExample> examples() {
        return batches.stream().flatMap(List::stream).toList();
    }

    /** What the sum of losses of a batch is divided by, so that the mean of its part counts what it does. */
    public double normalizer(List<EncodedExample> batch) {
        return normalizer(batch.get(0).part());
    }

    private double normalizer(int part) {
        return weights.get(part).getSum() / counts.get(part);
    }

    /** Takes the sum of losses of the next batch. */
    public void add(double sum) {
        losses.get(batches.get(sums.size()).get(0).part()).accept(sum);
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

    /** The loss of all batches. */
    public double loss() {
        double loss = 0;
        for (int part = 0; part < counts.size(); part++) {
            loss += losses.get(part).getCount() == 0 ? 0 : losses.get(part).getSum() / normalizer(part);
        }
        return loss;
    }

    /** What was measured beside the loss. */
    public Measures measures() {
        return measures;
    }

    /** How long it took until a time of {@link System#nanoTime}, above 0. */
    public double seconds(long end) {
        return Math.max(1, end - begin) / 1e9;
    }
}
