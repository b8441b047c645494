package io.peft4j.models.generation;

import io.peft4j.core.model.Sampling;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Draws a token from logits after temperature, top-k, top-p and min-p, applied in this order as Hugging Face does.
 *
 * <p>A draw walks down the tokens from the most likely one until it has passed the drawn share of the probability. It
 * rarely gets far, so only those near the largest logit are sorted, and more of them only where they do not suffice.
 *
 * <p>One sampler an answer, so that an answer does not depend on the others of its batch.
 */
final class TokenSampler {
    /** Tokens whose logits are at most this many temperatures below the largest are looked at first. */
    private static final double FIRST_WIDTH = 4;
    /** Below this many temperatures all tokens of any vocabulary together have less than 1e-10 of the probability. */
    private static final double NEGLIGIBLE = 37;

    private final Sampling options;
    private final SplittableRandom random;

    TokenSampler(Sampling options, int answer) {
        this.options = options;
        this.random = new SplittableRandom(options.seed() * 1_000_003L + answer);
    }

    /** A draw; 0 where no logit is a number. */
    int draw(float[] logits) {
        double max = Logits.max(logits, logits.length);
        double drawn = random.nextDouble();
        boolean limited = options.topK() > 0 && options.topK() < logits.length;
        double total = limited ? 0 : sum(logits, max);
        Ranking ranking = limited ? rank(logits, max, options.topK(), 0)
                : rank(logits, max, 1, total * (options.topP() < 1 ? options.topP() : drawn));
        int count = limited ? Math.min(options.topK(), ranking.size()) : ranking.size();
        if (count == 0) {
            return 0;
        }
        double kept = limited ? ranking.cumulative[count - 1] : total;
        if (options.topP() < 1) {
            count = ranking.reaching(options.topP() * kept, count) + 1;
            kept = ranking.cumulative[count - 1];
        }
        if (options.minP() > 0) {
            Ranking likely = likely(logits, max);
            count = Math.min(limited || options.topP() < 1 ? count : logits.length, likely.size());
            return likely.order[likely.passing(drawn * likely.cumulative[count - 1], count)];
        }
        return ranking.order[ranking.passing(drawn * kept, count)];
    }

    /** The tokens with at least the asked for share of the most likely one's probability. */
    private Ranking likely(float[] logits, double max) {
        Ranking ranking = ranking(logits, max, max + Math.log(options.minP()) * options.temperature() - 1e-3);
        int count = 1;
        while (count < ranking.size() && weight(logits[ranking.order[count]], max) >= options.minP()) {
            count++;
        }
        return new Ranking(Arrays.copyOf(ranking.order, count), ranking.cumulative);
    }

    private double weight(float logit, double max) {
        return Math.exp((logit - max) / options.temperature());
    }

    private double sum(float[] logits, double max) {
        double floor = max - NEGLIGIBLE * options.temperature();
        double sum = 0;
        for (float logit : logits) {
            if (logit >= floor) {
                sum += weight(logit, max);
            }
        }
        return sum;
    }

    /** The most likely tokens: at least {@code tokens} of them with more than {@code weight} together, or all. */
    private Ranking rank(float[] logits, double max, int tokens, double weight) {
        for (double width = FIRST_WIDTH; width < NEGLIGIBLE; width *= 2) {
            Ranking ranking = ranking(logits, max, max - width * options.temperature());
            if (ranking.size() >= tokens && ranking.cumulative[ranking.size() - 1] > weight) {
                return ranking;
            }
        }
        return ranking(logits, max, Double.NEGATIVE_INFINITY);
    }

    private Ranking ranking(float[] logits, double max, double floor) {
        int[] order = descending(logits, floor);
        double[] cumulative = new double[order.length];
        double sum = 0;
        for (int i = 0; i < order.length; i++) {
            sum += weight(logits[order[i]], max);
            cumulative[i] = sum;
        }
        return new Ranking(order, cumulative);
    }

    /** Token ids by falling weight, and the sums of the weights so far. */
    private record Ranking(int[] order, double[] cumulative) {
        int size() {
            return order.length;
        }

        /** Index of the first of {@code count} tokens with which the weight is reached; the last where none is. */
        int reaching(double weight, int count) {
            int i = 0;
            while (i < count - 1 && cumulative[i] < weight) {
                i++;
            }
            return i;
        }

        /** As {@link #reaching}, but the weight must be passed. */
        int passing(double weight, int count) {
            int i = 0;
            while (i < count - 1 && cumulative[i] <= weight) {
                i++;
            }
            return i;
        }
    }

    /** Tokens whose logits are not below {@code floor}, by falling logit, ties by id. */
    private static int[] descending(float[] logits, double floor) {
        int count = 0;
        for (float logit : logits) {
            count += logit >= floor ? 1 : 0;
        }
        long[] keys = new long[count];
        int next = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] >= floor) {
                int bits = Float.floatToIntBits(logits[i]);
                int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
                keys[next++] = (long) ~ascending << 32 | i;
            }
        }
        Arrays.sort(keys);
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            order[i] = (int) keys[i];
        }
        return order;
    }
}
