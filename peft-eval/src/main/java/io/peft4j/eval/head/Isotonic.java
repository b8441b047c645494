package io.peft4j.eval.head;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Isotonic regression by pooling adjacent violators (Zadrozny and Elkan 2002): the rising steps that are nearest to
 * pairs of a probability and what was right.
 *
 * @param from probabilities, ascending: the mean of those of each step
 * @param to what stands for each
 */
record Isotonic(List<Double> from, List<Double> to) {
    private record Block(double x, double y, double weight) {
        Block and(Block next) {
            double both = weight + next.weight;
            return new Block((x * weight + next.x * next.weight) / both, (y * weight + next.y * next.weight) / both,
                    both);
        }
    }

    /** Fits pairs {@code [probability, right]}. */
    static Isotonic of(List<double[]> pairs) {
        double[][] sorted = pairs.toArray(double[][]::new);
        Arrays.sort(sorted, Comparator.comparingDouble(pair -> pair[0]));
        List<Block> blocks = new ArrayList<>();
        for (double[] pair : sorted) {
            Block last = new Block(pair[0], pair[1], 1);
            while (!blocks.isEmpty() && (blocks.get(blocks.size() - 1).y() >= last.y()
                    || blocks.get(blocks.size() - 1).x() == last.x())) {
                last = blocks.remove(blocks.size() - 1).and(last);
            }
            blocks.add(last);
        }
        return new Isotonic(blocks.stream().map(Block::x).toList(), blocks.stream().map(Block::y).toList());
    }
}
