package io.peft4j.models.generation;

import io.peft4j.core.model.GenerationOptions;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Chooses a token from logits: the most likely one, or a draw after temperature, top-k and top-p (nucleus sampling,
 * <a href="https://arxiv.org/abs/1904.09751">1904.09751</a>), applied in this order as Hugging Face does.
 *
 * <p>One sampler a prompt, so that an answer does not depend on the other prompts of its batch.
 */
final class Sampler {
    private final GenerationOptions options;
    private final SplittableRandom random;

    Sampler(GenerationOptions options, int prompt) {
        this.options = options;
        this.random = new SplittableRandom(options.seed() * 1_000_003L + prompt);
    }

    /** The chosen token; of equal logits the lowest id. Overwrites the logits where it draws. */
    int choose(float[] logits) {
        return options.temperature() == 0 ? mostLikely(logits) : draw(logits);
    }

    private static int mostLikely(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    private int draw(float[] logits) {
        int[] order = candidates(logits);
        double[] probabilities = new double[order.length];
        double max = logits[order[0]];
        double sum = 0;
        for (int i = 0; i < order.length; i++) {
            probabilities[i] = Math.exp((logits[order[i]] - max) / options.temperature());
            sum += probabilities[i];
        }
        int kept = nucleus(probabilities, sum);
        double keptSum = Arrays.stream(probabilities, 0, kept).sum();
        double target = random.nextDouble() * keptSum;
        for (int i = 0; i < kept; i++) {
            target -= probabilities[i];
            if (target < 0) {
                return order[i];
            }
        }
        return order[kept - 1];
    }

    /** Token ids by falling logit, ties by id; only the top k where asked. */
    private int[] candidates(float[] logits) {
        int keep = options.topK() == 0 ? logits.length : Math.min(options.topK(), logits.length);
        long[] keys = new long[logits.length];
        for (int i = 0; i < logits.length; i++) {
            int bits = Float.floatToIntBits(logits[i]);
            int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
            keys[i] = (long) ~ascending << 32 | i;
        }
        Arrays.sort(keys);
        int[] order = new int[keep];
        for (int i = 0; i < keep; i++) {
            order[i] = (int) keys[i];
        }
        return order;
    }

    /** How many of the most likely tokens are needed to reach top-p; at least one. */
    private int nucleus(double[] probabilities, double sum) {
        double reached = 0;
        for (int i = 0; i < probabilities.length; i++) {
            reached += probabilities[i] / sum;
            if (reached >= options.topP()) {
                return i + 1;
            }
        }
        return probabilities.length;
    }
}
