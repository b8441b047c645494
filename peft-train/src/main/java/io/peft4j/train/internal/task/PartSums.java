package io.peft4j.train.internal.task;

import io.peft4j.train.objective.EncodedExample;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;

/**
 * The loss of some examples: the mean of each part of them ({@link EncodedExample#part}) times what the part counts.
 * Most trainings have one part.
 */
public final class PartSums {
    private final List<Double> counts;
    private final List<DoubleSummaryStatistics> weights = new ArrayList<>();
    private final List<DoubleSummaryStatistics> sums = new ArrayList<>();

    /**
     * Nothing yet of these examples.
     *
     * @param counts what the mean of each part counts
     */
    public PartSums(List<Double> counts, List<EncodedExample> examples) {
        this.counts = counts;
        counts.forEach(part -> {
            weights.add(new DoubleSummaryStatistics());
            sums.add(new DoubleSummaryStatistics());
        });
        examples.forEach(example -> weights.get(example.part()).accept(example.weight()));
    }

    /** What the sum of losses of a batch is divided by, so that the mean of its part counts what it does. */
    double normalizer(List<EncodedExample> batch) {
        return normalizer(batch.get(0).part());
    }

    /** Takes the sum of losses of a batch. */
    public void add(List<EncodedExample> batch, double sum) {
        sums.get(batch.get(0).part()).accept(sum);
    }

    /** The loss. */
    public double loss() {
        double loss = 0;
        for (int part = 0; part < counts.size(); part++) {
            loss += sums.get(part).getCount() == 0 ? 0 : sums.get(part).getSum() / normalizer(part);
        }
        return loss;
    }

    private double normalizer(int part) {
        return weights.get(part).getSum() / counts.get(part);
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
}
