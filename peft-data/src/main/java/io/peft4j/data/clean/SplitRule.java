package io.peft4j.data.clean;

import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How data is split.
 *
 * @param ratios share of each part; they sum to 1
 * @param folds whether the parts are folds for cross-validation, and not training, validation and test
 * @param seed seed of the choice
 * @param order what decides which example comes into which part
 * @param grouping which examples stay together
 * @param field with {@link Grouping#FIELD} the field of the rows that names their group
 * @param stratify the field whose values are spread over all parts in the same shares
 * @param time with {@link Order#TIME} the field that is sorted by: numbers as numbers, else as text, such as ISO dates
 */
public record SplitRule(List<Double> ratios, boolean folds, long seed, Order order, Grouping grouping,
        Optional<String> field, Optional<String> stratify, Optional<String> time) {
    /** What decides which example comes into which part. */
    public enum Order {
        /** Chance, by seed. */
        RANDOM,
        /** The earliest into the first part, the latest into the last. */
        TIME,
        /**
         * A hash of the question, so that what once was in the last part (the test) stays there when data grows, and
         * so for the part before it. The shares are met on average only.
         */
        HASH
    }

    /** Which examples stay together. */
    public enum Grouping {
        /** None but equal ones are treated alike. */
        NONE,
        /** Those that ask the same in the same words, so that none leaks; other wordings of it may be apart. */
        NEAR,
        /** All wordings of one question, and questions with the same answer: what is tested is never taught. */
        FACT,
        /** Those with the same value of a field. */
        FIELD
    }

    /** Checks the ratios and that the fields are there. */
    public SplitRule {
        ratios = List.copyOf(ratios);
        Objects.requireNonNull(order, "order");
        Objects.requireNonNull(grouping, "grouping");
        double sum = ratios.stream().mapToDouble(Double::doubleValue).sum();
        if (ratios.size() < 2 || ratios.stream().anyMatch(ratio -> !(ratio > 0)) || Math.abs(sum - 1) > 1e-6) {
            throw new ConfigurationException("the ratios " + ratios
                    + " must be at least two numbers above 0 that sum to 1");
        }
        if (grouping == Grouping.FIELD != field.isPresent() || order == Order.TIME != time.isPresent()) {
            throw new ConfigurationException("grouping by field and ordering by time need the name of a field");
        }
        if (stratify.isPresent() && order != Order.RANDOM) {
            throw new ConfigurationException("only a random split can be stratified");
        }
    }

    /** A random split that keeps together what asks the same in the same words. */
    public static SplitRule ratios(double... ratios) {
        return of(false, ratios);
    }

    private static SplitRule of(boolean folds, double... ratios) {
        return new SplitRule(Arrays.stream(ratios).boxed().toList(), folds, 0, Order.RANDOM, Grouping.NEAR,
                Optional.empty(), Optional.empty(), Optional.empty());
    }

    /**
     * K parts of the same size for cross-validation: each is the test once, the others together are what is trained on.
     *
     * @throws ConfigurationException when there are fewer than two
     */
    public static SplitRule folds(int count) {
        if (count < 2) {
            throw new ConfigurationException(count + " folds requested; at least 2 are needed");
        }
        double[] ratios = new double[count];
        Arrays.fill(ratios, 1.0 / count);
        return of(true, ratios);
    }

    /** The same with another seed. */
    public SplitRule seed(long newSeed) {
        return new SplitRule(ratios, folds, newSeed, order, grouping, field, stratify, time);
    }

    /** The same with each example for itself. */
    public SplitRule ungrouped() {
        return new SplitRule(ratios, folds, seed, order, Grouping.NONE, Optional.empty(), stratify, time);
    }

    /** The same, all wordings of one question and questions with the same answer together. */
    public SplitRule groupedByFact() {
        return new SplitRule(ratios, folds, seed, order, Grouping.FACT, Optional.empty(), stratify, time);
    }

    /** The same, examples with the same value of a field together. */
    public SplitRule groupedBy(String name) {
        return new SplitRule(ratios, folds, seed, order, Grouping.FIELD, Optional.of(name), stratify, time);
    }

    /** The same with the values of a field spread over all parts. */
    public SplitRule stratifiedBy(String name) {
        return new SplitRule(ratios, folds, seed, order, grouping, field, Optional.of(name), time);
    }

    /** The same, the earliest examples first. */
    public SplitRule byTime(String name) {
        return new SplitRule(ratios, folds, seed, Order.TIME, grouping, field, stratify, Optional.of(name));
    }

    /** The same by a hash of the question. */
    public SplitRule byHash() {
        return new SplitRule(ratios, folds, seed, Order.HASH, grouping, field, stratify, time);
    }
}
