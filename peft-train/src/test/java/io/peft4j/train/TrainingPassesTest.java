package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import java.lang.reflect.Proxy;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The loss and its gradients, however the examples are put into batches and the logits into chunks. */
class TrainingPassesTest {
    /** Sums in f32 taken in another order: a few times 2^-24 on each of up to a hundred terms. */
    private static final double ROUNDING = 2e-6;

    private final Tiny tiny = new Tiny();
    private final List<TokenSequence> examples = Tiny.examples(9, 1);
    private final double weight = Tiny.weight(examples);

    @AfterEach
    void close() {
        tiny.close();
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void packedAndSharedLossAndGradientsEqualThoseOfSingleExamples(KernelProvider provider) {
        try (Tiny tiny = new Tiny(0, provider.create(2));
                TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            double oneByOne = 0;
            for (TokenSequence example : examples) {
                oneByOne += passes.training(PackedBatch.of(List.of(example)), 0, pass -> pass.backward(weight));
            }
            float[] expected = tiny.takeGradients();
            PackedBatch shared = PackedBatch.sharingPrefixes(examples);
            assertTrue(shared.rows() < PackedBatch.of(examples).rows(), "nothing is shared");
            for (PackedBatch batch : List.of(PackedBatch.of(examples), shared)) {
                assertEquals(oneByOne, passes.training(batch, 0, pass -> pass.backward(weight)), ROUNDING * oneByOne);
                assertEquals(0, Tiny.distance(expected, tiny.takeGradients()), ROUNDING);
            }
        }
    }

    @Test
    void lossOfASequenceDoesNotDependOnTheBatch() {
        try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            double[] packed = passes.evaluation(PackedBatch.sharingPrefixes(examples),
                    Pass::sequenceNegativeLogLikelihoods);
            for (int i = 0; i < packed.length; i++) {
                double alone = passes.evaluation(PackedBatch.of(List.of(examples.get(i))),
                        Pass::sequenceNegativeLogLikelihoods)[0];
                assertEquals(alone, packed[i], ROUNDING * alone);
            }
            double sum = java.util.Arrays.stream(packed).sum();
            assertEquals(sum, loss(passes, PackedBatch.of(examples)), ROUNDING * sum);
            assertEquals(sum, passes.training(PackedBatch.of(examples), 0, pass -> pass.backward(weight)),
                    ROUNDING * sum);
        }
    }

    @Test
    void chunksOfLogitsGiveTheLossAndGradientsOfOneChunk() {
        PackedBatch batch = PackedBatch.sharingPrefixes(examples);
        try (TrainingPasses whole = TrainingPasses.of(tiny.model)) {
            double loss = whole.training(batch, 0, pass -> pass.withChunkRows(1000).backward(weight));
            float[] gradients = tiny.takeGradients();
            float[] nll = whole.evaluation(batch, pass -> pass.withChunkRows(1000).negativeLogLikelihoods());
            for (int rows : new int[] {1, 2, 7, batch.targets().count() - 1}) {
                try (TrainingPasses chunked = TrainingPasses.of(tiny.model)) {
                    assertEquals(loss, chunked.training(batch, 0, pass -> pass.withChunkRows(rows).backward(weight)),
                            ROUNDING * loss);
                    assertEquals(0, Tiny.distance(gradients, tiny.takeGradients()), ROUNDING);
                    assertArrayEquals(nll, chunked.evaluation(batch,
                            pass -> pass.withChunkRows(rows).negativeLogLikelihoods()), 1e-5f);
                    assertTrue(chunked.peakBytes() <= whole.peakBytes());
                }
            }
        }
    }

    @Test
    void gradientsMatchCentralDifferences() {
        PackedBatch batch = PackedBatch.sharingPrefixes(weighted());
        double divisor = Tiny.weight(weighted());
        try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            passes.training(batch, 0, pass -> pass.backward(divisor));
            SplittableRandom random = new SplittableRandom(3);
            for (Parameter parameter : tiny.model.trainableParameters()) {
                float[] gradient = Arrays.toFloats(parameter.gradient());
                for (int times = 0; times < 3; times++) {
                    int i = random.nextInt(gradient.length);
                    double difference = (lossWith(passes, batch, parameter, i, 0.01f)
                            - lossWith(passes, batch, parameter, i, -0.01f)) / 0.02 / divisor;
                    // The loss has an error of some 1e-6 in f32, divided by a step of 0.02; the third derivative adds
                    // about as much.
                    assertEquals(difference, gradient[i], 3e-4 + 1e-3 * Math.abs(difference), parameter.name());
                }
            }
        }
    }

    private static double lossWith(TrainingPasses passes, PackedBatch batch, Parameter parameter, int index,
            float step) {
        float[] values = Arrays.toFloats(parameter.value());
        float before = values[index];
        values[index] = before + step;
        Arrays.write(parameter.value(), 0, values, 0, values.length);
        double loss = loss(passes, batch);
        values[index] = before;
        Arrays.write(parameter.value(), 0, values, 0, values.length);
        return loss;
    }

    @Test
    void weightsScaleTheLossOfTheirTokens() {
        try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            PackedBatch batch = PackedBatch.of(weighted());
            float[] nll = passes.evaluation(batch, Pass::negativeLogLikelihoods);
            float[] weights = batch.targets().weights();
            double expected = IntStream.range(0, nll.length).mapToDouble(i -> (double) weights[i] * nll[i]).sum();
            assertEquals(expected, loss(passes, batch), ROUNDING * expected);
            assertEquals(expected, passes.training(batch, 0, pass -> pass.backward(1)), ROUNDING * expected);
            float[] gradients = tiny.takeGradients();
            passes.training(batch, 0, pass -> pass.backward(4));
            float[] quarter = tiny.takeGradients();
            for (int i = 0; i < quarter.length; i++) {
                quarter[i] *= 4;
            }
            // A division by a power of two is exact, and so is what follows.
            assertArrayEquals(gradients, quarter);
        }
    }

    private List<TokenSequence> weighted() {
        SplittableRandom random = new SplittableRandom(8);
        return examples.stream().map(example -> {
            float[] weights = new float[example.length()];
            for (int t = 1; t < weights.length; t++) {
                weights[t] = random.nextInt(3) * 0.5f;
            }
            return new TokenSequence(example.ids(), weights);
        }).toList();
    }

    @Test
    void aBatchWithoutSupervisedTokensHasNoLossAndNoGradients() {
        try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            PackedBatch batch = PackedBatch.of(List.of(Tiny.unsupervised(7)));
            assertEquals(0, passes.training(batch, 0, pass -> pass.backward(1)));
            assertEquals(0, loss(passes, batch));
            assertArrayEquals(new double[1], passes.evaluation(batch, Pass::sequenceNegativeLogLikelihoods));
            for (float gradient : tiny.takeGradients()) {
                assertEquals(0, gradient);
            }
        }
    }

    @Test
    void dropoutDependsOnTheSeedAndIsOffInEvaluation() {
        try (Tiny dropping = new Tiny(0.5);
                TrainingPasses passes = TrainingPasses.of(dropping.model);
                TrainingPasses plain = TrainingPasses.of(tiny.model)) {
            PackedBatch batch = PackedBatch.of(examples);
            double first = passes.training(batch, 1, pass -> pass.backward(weight));
            float[] gradients = dropping.takeGradients();
            assertEquals(first, passes.training(batch, 1, pass -> pass.backward(weight)));
            assertArrayEquals(gradients, dropping.takeGradients());
            assertFalse(first == passes.training(batch, 2, pass -> pass.backward(weight)));
            assertEquals(loss(plain, batch), loss(passes, batch));
        }
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void recomputationChangesNoBitAndTakesLessMemory(KernelProvider provider) {
        PackedBatch batch = PackedBatch.sharingPrefixes(examples);
        try (Tiny dropping = new Tiny(0.5, provider.create(2));
                TrainingPasses keeping = TrainingPasses.of(dropping.model);
                TrainingPasses recomputing = recomputing(dropping)) {
            double loss = keeping.training(batch, 1, pass -> pass.backward(weight));
            float[] gradients = dropping.takeGradients();
            assertEquals(loss, recomputing.training(batch, 1, pass -> pass.backward(weight)));
            assertArrayEquals(gradients, dropping.takeGradients());
            assertTrue(recomputing.peakBytes() < keeping.peakBytes(), "recomputation took " + recomputing.peakBytes()
                    + " bytes, without it were " + keeping.peakBytes());
        }
    }

    @Test
    void layersThatBeginBeyondWhatMayBeKeptRunTwice() {
        PackedBatch batch = PackedBatch.sharingPrefixes(examples);
        AtomicInteger products = new AtomicInteger();
        try (Tiny dropping = new Tiny(0.5, countingLinear(new NaiveKernels(), products));
                TrainingPasses keeping = TrainingPasses.of(dropping.model);
                TrainingPasses recomputing = recomputing(dropping)) {
            double loss = keeping.training(batch, 1, pass -> pass.backward(weight));
            int once = products.getAndSet(0);
            float[] gradients = dropping.takeGradients();
            recomputing.training(batch, 1, pass -> pass.backward(weight));
            int twice = products.getAndSet(0);
            dropping.takeGradients();
            // More than the embedded tokens take, less than the first layer keeps.
            try (TrainingPasses some = TrainingPasses.keeping(dropping.model, keeping.peakBytes() / 4)) {
                assertEquals(loss, some.training(batch, 1, pass -> pass.backward(weight)));
                assertArrayEquals(gradients, dropping.takeGradients());
                assertTrue(products.get() > once && products.get() < twice, "none recomputed took " + once
                        + " products, all " + twice + ", some " + products.get());
            }
        }
    }

    private static double loss(TrainingPasses passes, PackedBatch batch) {
        return passes.evaluation(batch, pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods()));
    }

    private static TrainingPasses recomputing(Tiny tiny) {
        return new TrainingPasses(tiny.model, TrainingOptions.builder().recompute(true).build(), FrozenStates.none());
    }

    /** Counts products with frozen weights. */
    private static Kernels countingLinear(Kernels kernels, AtomicInteger count) {
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("linear")) {
                        count.incrementAndGet();
                    }
                    return method.invoke(kernels, arguments);
                });
    }

    @Test
    void memoryDoesNotGrowFromStepToStep() {
        List<List<TokenSequence>> batches = List.of(examples.subList(0, 4), examples.subList(4, 9));
        try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
            batches.forEach(batch -> passes.training(PackedBatch.of(batch), 0, pass -> pass.backward(1)));
            long peak = passes.peakBytes();
            for (int epoch = 0; epoch < 20; epoch++) {
                batches.forEach(batch -> passes.training(PackedBatch.of(batch), 0, pass -> pass.backward(1)));
                batches.forEach(batch -> loss(passes, PackedBatch.of(batch)));
            }
            assertEquals(peak, passes.peakBytes());
        }
    }

    @Test
    void passesOnOneModelWaitForEachOther() throws InterruptedException, ExecutionException {
        PackedBatch batch = PackedBatch.of(examples);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try (TrainingPasses alone = TrainingPasses.of(tiny.model)) {
            double expected = loss(alone, batch);
            Callable<Double> another = () -> {
                try (TrainingPasses passes = TrainingPasses.of(tiny.model)) {
                    return loss(passes, batch);
                }
            };
            for (Future<Double> loss : threads.invokeAll(Collections.nCopies(40, another))) {
                assertEquals(expected, loss.get());
            }
        } finally {
            threads.shutdown();
        }
    }
}
