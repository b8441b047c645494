package io.peft4j.data.pack;

import io.peft4j.core.error.ConfigurationException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * How sequences are put into batches.
 *
 * @param tokens most tokens of a batch, shared beginnings counted once where prefixes are shared
 * @param sequences most sequences of a batch; default: any number
 * @param strategy which sequences come together
 * @param sharePrefixes whether a beginning that sequences of a batch share counts once, as the engine computes it once
 * @param shuffle whether each epoch has an order of its own; otherwise all have the same, which does not depend on the
 *     seed, and {@link Strategy#IN_ORDER} keeps that of the sequences; default true
 * @param seed seed of the order
 */
public record PackOptions(int tokens, int sequences, Strategy strategy, boolean sharePrefixes, boolean shuffle,
        long seed) {
    /** Which sequences come together. */
    public enum Strategy {
        /** In the shuffled order, a batch is closed when the next sequence does not fit. */
        IN_ORDER,
        /** Longest first, each into the fullest batch that has room (best fit decreasing): the fewest batches. */
        BEST_FIT,
        /** Sequences of similar length together, so that batches take equally long. */
        LENGTH_BUCKETS,
        /** Sequences that begin with the same tokens together, as far as they fit. */
        SHARED_PREFIXES;

        /**
         * The strategy of a name as {@link #toString} gives it.
         *
         * @throws ConfigurationException when there is none
         */
        public static Strategy named(String name) {
            return Arrays.stream(values()).filter(strategy -> strategy.toString().equals(name)).findFirst()
                    .orElseThrow(() -> new ConfigurationException("unknown packing '" + name + "'; use one of "
                            + Arrays.toString(values())));
        }

        /** The name as options have it, for instance {@code best-fit}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Checks the limits. */
    public PackOptions {
        Objects.requireNonNull(strategy, "strategy");
        if (tokens < 1 || sequences < 1) {
            throw new ConfigurationException("a batch of " + tokens + " tokens and " + sequences
                    + " sequences is empty; both must be at least 1");
        }
    }

    /** Best fit into batches of so many tokens, shared beginnings counted once, seed 0. */
    public static PackOptions ofTokens(int tokens) {
        return new PackOptions(tokens, Integer.MAX_VALUE, Strategy.BEST_FIT, true, true, 0);
    }

    /** So many sequences a batch in shuffled order, however long they are, as a plain data loader does; seed 0. */
    public static PackOptions ofSequences(int sequences) {
        return new PackOptions(Integer.MAX_VALUE, sequences, Strategy.IN_ORDER, true, true, 0);
    }

    /** The same with another limit of sequences. */
    public PackOptions sequences(int most) {
        return new PackOptions(tokens, most, strategy, sharePrefixes, shuffle, seed);
    }

    /** The same with another strategy. */
    public PackOptions strategy(Strategy newStrategy) {
        return new PackOptions(tokens, sequences, newStrategy, sharePrefixes, shuffle, seed);
    }

    /** The same with another seed. */
    public PackOptions seed(long newSeed) {
        return new PackOptions(tokens, sequences, strategy, sharePrefixes, shuffle, newSeed);
    }

    /** The same, with or without an order of its own for each epoch. */
    public PackOptions shuffle(boolean shuffled) {
        return new PackOptions(tokens, sequences, strategy, sharePrefixes, shuffled, seed);
    }

    /** The same, with beginnings that are shared or not. */
    public PackOptions sharePrefixes(boolean shared) {
        return new PackOptions(tokens, sequences, strategy, shared, shuffle, seed);
    }
}
