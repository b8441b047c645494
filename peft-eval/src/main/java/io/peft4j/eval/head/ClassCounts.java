package io.peft4j.eval.head;

import io.peft4j.eval.metric.CountMetric;
import io.peft4j.eval.report.TaskArm.ClassScore;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.Resampled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * For each item how many of each class were right, said and expected: what precision, recall and F1 are made of.
 *
 * @param classes the classes
 * @param items for each item three numbers a class
 */
record ClassCounts(List<String> classes, List<double[]> items) {
    private static final int DRAWS = 2000;

    /**
     * Counts labels, item by item and place by place.
     *
     * @param expected for each item the right label of each of its places
     * @param said what was said of the same places
     */
    static ClassCounts ofPlaces(List<String> classes, List<List<String>> expected, List<List<String>> said) {
        List<double[]> items = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            double[] counts = new double[3 * classes.size()];
            for (int j = 0; j < expected.get(i).size(); j++) {
                int right = classes.indexOf(expected.get(i).get(j));
                int given = classes.indexOf(said.get(i).get(j));
                counts[3 * given] += right == given ? 1 : 0;
                counts[3 * given + 1]++;
                counts[3 * right + 2]++;
            }
            items.add(counts);
        }
        return new ClassCounts(classes, items);
    }

    /** Counts labels of which an item has any number, each once. */
    static ClassCounts ofSets(List<String> classes, List<Set<String>> expected, List<Set<String>> said) {
        List<double[]> items = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            double[] counts = new double[3 * classes.size()];
            for (int k = 0; k < classes.size(); k++) {
                boolean right = expected.get(i).contains(classes.get(k));
                boolean given = said.get(i).contains(classes.get(k));
                counts[3 * k] = right && given ? 1 : 0;
                counts[3 * k + 1] = given ? 1 : 0;
                counts[3 * k + 2] = right ? 1 : 0;
            }
            items.add(counts);
        }
        return new ClassCounts(classes, items);
    }

    static ClassCounts ofEntities(List<String> types, List<List<String>> expected, List<List<String>> said) {
        List<double[]> items = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            double[] counts = new double[3 * types.size()];
            EntityScores.of(List.of(expected.get(i)), List.of(said.get(i))).byType().forEach((type, each) -> {
                int first = 3 * types.indexOf(type);
                counts[first] = each.right();
                counts[first + 1] = each.found();
                counts[first + 2] = each.expected();
            });
            items.add(counts);
        }
        return new ClassCounts(types, items);
    }

    /** F1 of all classes together: 2 right / (said + expected). */
    static CountMetric micro(String name) {
        return metric(name, sums -> f1(sum(sums, 0), sum(sums, 1), sum(sums, 2)));
    }

    /** The mean F1 of the classes that were said or expected. */
    static CountMetric macro(String name) {
        return metric(name, sums -> IntStream.range(0, sums.length / 3).map(i -> 3 * i)
                .filter(i -> sums[i + 1] + sums[i + 2] > 0)
                .mapToDouble(i -> f1(sums[i], sums[i + 1], sums[i + 2])).average().orElse(0));
    }

    /** The share of what was said, or expected, that is right; of all classes together. */
    static CountMetric share(String name, boolean ofExpected) {
        return metric(name, sums -> ratio(sum(sums, 0), sum(sums, ofExpected ? 2 : 1)));
    }

    private static CountMetric metric(String name, ToDoubleFunction<double[]> score) {
        return new CountMetric() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double score(double[] sums) {
                return score.applyAsDouble(sums);
            }

            @Override
            public double scale() {
                return 1;
            }
        };
    }

    /** Figures of each class that was said or expected, with intervals of F1. */
    List<ClassScore> scores(Bootstrap bootstrap) {
        List<ClassScore> scores = new ArrayList<>();
        for (int k = 0; k < classes.size(); k++) {
            int first = 3 * k;
            double[] sums = new double[3];
            List<double[]> own = items.stream().map(item -> new double[] {item[first], item[first + 1],
                item[first + 2]}).toList();
            own.forEach(item -> IntStream.range(0, 3).forEach(j -> sums[j] += item[j]));
            if (sums[1] + sums[2] > 0) {
                scores.add(new ClassScore(classes.get(k), ratio(sums[0], sums[1]), ratio(sums[0], sums[2]),
                        f1(sums[0], sums[1], sums[2]), interval(micro("f1"), own, bootstrap), (int) sums[2]));
            }
        }
        return scores;
    }

    /**
     * The bootstrap interval of a metric. Items that are all alike, such as all right, give one of no width, which few
     * items do not show: it is widened as that of as many equal scores.
     */
    static Interval interval(CountMetric metric, List<double[]> items, Bootstrap bootstrap) {
        Interval interval = bootstrap.withResamples(Math.min(DRAWS, bootstrap.resamples()))
                .of(new Pooled(metric, items));
        if (interval.low() < interval.high()) {
            return interval;
        }
        int counted = (int) items.stream().filter(item -> Arrays.stream(item).anyMatch(count -> count != 0)).count();
        double half = bootstrap.ofDifferences(new double[Math.max(1, counted)]).high();
        return new Interval(Math.max(0, interval.low() - half), Math.min(metric.scale(), interval.high() + half),
                interval.level());
    }

    private static double sum(double[] sums, int from) {
        double sum = 0;
        for (int i = from; i < sums.length; i += 3) {
            sum += sums[i];
        }
        return sum;
    }

    private static double f1(double right, double said, double expected) {
        return ratio(2 * right, said + expected);
    }

    private static double ratio(double part, double whole) {
        return whole == 0 ? 0 : part / whole;
    }

    /** A metric of counts for any choice of the items. */
    private record Pooled(CountMetric metric, List<double[]> items) implements Resampled {
        @Override
        public int size() {
            return items.size();
        }

        @Override
        public double of(int[] places) {
            return metric.score(sums(IntStream.of(places)));
        }

        @Override
        public double ofAll() {
            return metric.score(sums(IntStream.range(0, size())));
        }

        @Override
        public double without(int place) {
            return metric.score(sums(IntStream.range(0, size()).filter(i -> i != place)));
        }

        private double[] sums(IntStream places) {
            double[] sums = new double[items.get(0).length];
            places.forEach(place -> {
                double[] item = items.get(place);
                for (int j = 0; j < sums.length; j++) {
                    sums[j] += item[j];
                }
            });
            return sums;
        }
    }
}
