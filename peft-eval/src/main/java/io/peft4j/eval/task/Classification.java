package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.metric.FactMatcher;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.ranking.NaturalRanking;

/**
 * Classification: by an answer in words, or by a label.
 *
 * @param labels the classes; an answer in words that names none of them, or more than one, is in a further class "no
 *     label"
 * @param confusion the confusion matrix: a row for each expected class, in it how often each class was said
 */
@Internal
public record Classification(List<String> labels, List<List<Integer>> confusion) {
    /** The class of answers that cannot be told. */
    public static final String NO_LABEL = "no label";

    /** Copies the lists. */
    public Classification {
        labels = List.copyOf(labels);
        confusion = confusion.stream().map(List::copyOf).toList();
    }

    /**
     * Counts answers.
     *
     * @param labels the classes, at least two
     * @param expected the right class of each item
     * @param answers what the model said
     * @throws ConfigurationException when the numbers differ or are 0, or an expected class is not among the labels
     */
    public static Classification of(List<String> labels, List<String> expected, List<String> answers) {
        if (labels.size() < 2 || expected.isEmpty() || expected.size() != answers.size()) {
            throw new ConfigurationException("a classification needs two labels, and an answer for each item; got "
                    + labels + ", " + expected.size() + " items and " + answers.size() + " answers");
        }
        List<String> all = new ArrayList<>(labels);
        all.add(NO_LABEL);
        int[][] counts = new int[all.size()][all.size()];
        for (int i = 0; i < expected.size(); i++) {
            int label = labels.indexOf(expected.get(i));
            if (label < 0) {
                throw new ConfigurationException("item " + (i + 1) + " has the class \"" + expected.get(i)
                        + "\"; the labels are " + labels);
            }
            counts[label][all.indexOf(labelOf(answers.get(i), labels))]++;
        }
        return new Classification(all, Arrays.stream(counts).map(row -> Arrays.stream(row).boxed().toList()).toList());
    }

    /**
     * Counts labels. The classes are those that occur, expected or said, in the order of {@code labels}.
     *
     * @param labels all labels
     * @param expected the right label of each item
     * @param said the label that a model gave to each
     * @throws ConfigurationException when the numbers differ or are 0
     */
    public static Classification ofLabels(List<String> labels, List<String> expected, List<String> said) {
        if (expected.isEmpty() || expected.size() != said.size()) {
            throw new ConfigurationException(said.size() + " labels for " + expected.size() + " items");
        }
        List<String> all = labels.stream().filter(label -> expected.contains(label) || said.contains(label)).toList();
        int[][] counts = new int[all.size()][all.size()];
        for (int i = 0; i < expected.size(); i++) {
            counts[all.indexOf(expected.get(i))][all.indexOf(said.get(i))]++;
        }
        return new Classification(all, Arrays.stream(counts).map(row -> Arrays.stream(row).boxed().toList()).toList());
    }

    /** The one label that an answer names; {@link #NO_LABEL} where it names none or several. */
    public static String labelOf(String answer, List<String> labels) {
        List<String> named = labels.stream().filter(label -> names(answer, label)).toList();
        // "not approved" names "approved", too: a label that holds all others that are named is meant.
        return named.stream().filter(label -> named.stream().allMatch(other -> label.contains(other))).findFirst()
                .orElse(NO_LABEL);
    }

    private static boolean names(String answer, String label) {
        String words = " " + String.join(" ", WordVectors.words(answer)) + " ";
        String sought = String.join(" ", WordVectors.words(label));
        return sought.isEmpty() ? FactMatcher.contains(answer, label) : words.contains(" " + sought + " ");
    }

    /** How often class {@code said} was the answer where class {@code expected} was right. */
    public int count(int expected, int said) {
        return confusion.get(expected).get(said);
    }

    private int expected(int label) {
        return confusion.get(label).stream().mapToInt(Integer::intValue).sum();
    }

    private int said(int label) {
        return confusion.stream().mapToInt(row -> row.get(label)).sum();
    }

    private int right() {
        return IntStream.range(0, labels.size()).map(i -> count(i, i)).sum();
    }

    private int items() {
        return IntStream.range(0, labels.size()).map(this::expected).sum();
    }

    /** The share of right answers. */
    public double accuracy() {
        return (double) right() / items();
    }

    /** F1 of a class, 2 right / (expected + said); 0 where it neither occurs nor is said. */
    public double f1(int label) {
        int all = expected(label) + said(label);
        return all == 0 ? 0 : 2.0 * count(label, label) / all;
    }

    /** The mean {@link #f1} of the labels. */
    public double macroF1() {
        return IntStream.range(0, labels.size()).filter(i -> !labels.get(i).equals(NO_LABEL)).mapToDouble(this::f1)
                .average().orElseThrow();
    }

    /**
     * Matthews' correlation coefficient of many classes (Gorodkin 2004), from -1 to 1; 0 where all answers or all
     * expected classes are the same.
     */
    public double matthewsCorrelation() {
        double all = items();
        double both = labelSum(i -> (double) expected(i) * said(i));
        double spreads = (all * all - labelSum(i -> Math.pow(said(i), 2)))
                * (all * all - labelSum(i -> Math.pow(expected(i), 2)));
        return spreads == 0 ? 0 : (right() * all - both) / Math.sqrt(spreads);
    }

    private double labelSum(IntToDoubleFunction term) {
        return IntStream.range(0, labels.size()).mapToDouble(term).sum();
    }

    /**
     * The area under the ROC curve of a yes/no classification, exact: the share of the pairs of a yes and a no whose
     * probabilities are in order, equal ones counting half (the statistic of Mann and Whitney).
     *
     * @param probabilities of yes
     * @param yes whether yes is right
     * @return from 0 to 1; not a number where all items are yes or all are no
     */
    public static double areaUnderRoc(double[] probabilities, boolean[] yes) {
        if (probabilities.length == 0 || probabilities.length != yes.length) {
            throw new ConfigurationException(probabilities.length + " probabilities of " + yes.length + " items");
        }
        double[] ranks = new NaturalRanking().rank(probabilities);
        int[] positive = IntStream.range(0, yes.length).filter(i -> yes[i]).toArray();
        double pairs = (double) positive.length * (yes.length - positive.length);
        double below = Arrays.stream(positive).mapToDouble(i -> ranks[i]).sum()
                - positive.length * (positive.length + 1.0) / 2;
        return pairs == 0 ? Double.NaN : below / pairs;
    }
}
