package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.NonFiniteException;
import io.peft4j.core.model.Sampling;
import java.util.Comparator;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Draws against the definition written out: sort all tokens, cut at k, cut at p, walk down. */
class TokenSamplerTest {
    private static final int VOCABULARY = 1000;
    private final Random random = new Random(4);

    private float[] logits(double deviation) {
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < logits.length; i++) {
            // Multiples of 1/8, so that there are ties.
            logits[i] = Math.round(8 * deviation * random.nextGaussian()) / 8f;
        }
        return logits;
    }

    private static int written(float[] logits, Sampling options, double drawn) {
        int[] order = IntStream.range(0, logits.length).boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -logits[i]).thenComparing(i -> i))
                .mapToInt(i -> i).limit(options.topK() == 0 ? logits.length : options.topK()).toArray();
        double[] weights = IntStream.of(order)
                .mapToDouble(i -> Math.exp((logits[i] - (double) logits[order[0]]) / options.temperature())).toArray();
        double total = java.util.Arrays.stream(weights).sum();
        int kept = 0;
        double sum = 0;
        while (kept < order.length && (options.topP() == 1 || sum < options.topP() * total)) {
            sum += weights[kept++];
        }
        while (kept > 1 && weights[kept - 1] < options.minP()) {
            sum -= weights[--kept];
        }
        double target = drawn * sum;
        for (int i = 0; i < kept; i++) {
            target -= weights[i];
            if (target < 0) {
                return order[i];
            }
        }
        return order[kept - 1];
    }

    @Test
    void samplingMatchesTheDefinition() {
        for (double deviation : new double[] {0, 0.2, 3, 20}) {
            for (double temperature : new double[] {0.1, 0.7, 1, 5}) {
                for (int topK : new int[] {0, 1, 7, 400, VOCABULARY, 5000}) {
                    for (double topP : new double[] {1, 0.95, 0.3, 1e-6}) {
                        for (double minP : new double[] {0, 0.02, 0.7, 1}) {
                            compare(deviation, Sampling.of(temperature, random.nextLong()).withTopK(topK)
                                    .withTopP(topP).withMinP(minP));
                        }
                    }
                }
            }
        }
    }

    private void compare(double deviation, Sampling sampling) {
        TokenSampler sampler = new TokenSampler(sampling, 3);
        SplittableRandom draws = new SplittableRandom(sampling.seed() * 1_000_003L + 3);
        for (int i = 0; i < 3; i++) {
            float[] logits = logits(deviation);
            assertEquals(written(logits, sampling, draws.nextDouble()), sampler.draw(logits),
                    () -> "deviation " + deviation + ", " + sampling);
        }
    }

    @Test
    void samplesFollowTheProbabilities() {
        float[] logits = {0, (float) Math.log(2), Float.NEGATIVE_INFINITY, (float) Math.log(5)};
        TokenSampler sampler = new TokenSampler(Sampling.of(1, 1), 0);
        int[] counts = new int[4];
        for (int i = 0; i < 8000; i++) {
            counts[sampler.draw(logits)]++;
        }
        // Of 8000 draws with probability p the standard deviation is below 44; four of them.
        assertEquals(1000, counts[0], 176);
        assertEquals(2000, counts[1], 176);
        assertEquals(0, counts[2]);
        assertEquals(5000, counts[3], 176);
    }

    @Test
    void theMostLikelyTokenIsTheFirstOfTheLargest() {
        for (DataType type : new DataType[] {DataType.FLOAT, DataType.BFLOAT16}) {
            for (int size : new int[] {1, 5, 4096, 4097, 12_289}) {
                try (INDArray rows = Arrays.zeros(type, 3, size)) {
                    for (int trial = 0; trial < 20; trial++) {
                        float[] values = new float[size];
                        for (int i = 0; i < size; i++) {
                            values[i] = random.nextInt(-50, 50);
                        }
                        Arrays.write(rows, size, values, 0, size);
                        int expected = IntStream.range(0, size).reduce((a, b) -> values[b] > values[a] ? b : a)
                                .orElseThrow();
                        assertEquals(expected, new Logits(rows, 1, new Logits.Scratch()).mostLikely());
                    }
                }
            }
        }
    }

    @Test
    void nanIsNeverTheMostLikely() {
        float[] values = {Float.NaN, -3, Float.NaN, -2};
        try (INDArray row = Arrays.of(values, 1, 4)) {
            Logits logits = new Logits(row, 0, new Logits.Scratch());
            assertEquals(3, logits.mostLikely());
            assertArrayEquals(values, logits.finite());
        }
    }

    @Test
    void logitsAmongWhichNoneIsTheLargestNumberAreRefused() {
        float inf = Float.POSITIVE_INFINITY;
        for (float[] values : new float[][] {{Float.NaN, Float.NaN, Float.NaN}, {-inf, -inf, -inf}, {1, inf, 3}}) {
            try (INDArray row = Arrays.of(values, 1, 3)) {
                Logits logits = new Logits(row, 0, new Logits.Scratch());
                assertThrows(NonFiniteException.class, logits::mostLikely);
                assertThrows(NonFiniteException.class, logits::finite);
            }
        }
    }

    @Test
    void aDrawnTokenIsOneOfTheVocabularyWhateverTheLogits() {
        float inf = Float.POSITIVE_INFINITY;
        for (float[] values : new float[][] {{Float.NaN, -3, Float.NaN, -2}, {Float.NaN, Float.NaN, Float.NaN,
            Float.NaN}, {-inf, -inf, -inf, -inf}, {1, inf, 3, inf}}) {
            int drawn = new TokenSampler(Sampling.of(1, 1).withTopK(2).withTopP(0.9), 0).draw(values);
            assertTrue(drawn >= 0 && drawn < 4);
        }
    }
}
