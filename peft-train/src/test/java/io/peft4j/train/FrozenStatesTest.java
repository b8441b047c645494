package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyNetwork;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lies below the first adapted layer is computed once for each example, and nothing else changes. */
class FrozenStatesTest {
    /** Sums in f32 taken in another order: a few times 2^-24 on each of up to a hundred terms. */
    private static final double ROUNDING = 2e-6;
    private static final double DROPOUT = 0.3;
    private static final int ROW_BYTES = 4 * TinyNetwork.HIDDEN;

    private final List<TokenSequence> examples = Tiny.examples(9, 1);
    private final double weight = Tiny.weight(examples);

    private static Tiny upper(Kernels kernels) {
        return Tiny.onLayer(1, DROPOUT, kernels);
    }

    private static double loss(TrainingPasses passes, PackedBatch batch) {
        return passes.evaluation(batch, pass -> pass.batch().targets().weightedSum(pass.negativeLogLikelihoods()));
    }

    private static TrainingPasses passes(Tiny tiny, FrozenStates states) {
        return new TrainingPasses(tiny.model, TrainingOptions.defaults(), states);
    }

    private FrozenStates upTo(long bytes, Tiny tiny) {
        return FrozenStates.upTo(bytes, tiny.network.description(), examples, 2);
    }

    private FrozenStates all(Tiny tiny) {
        return upTo(1 << 20, tiny);
    }

    private static long bytes(List<TokenSequence> examples) {
        return examples.stream().mapToLong(TokenSequence::length).sum() * ROW_BYTES;
    }

    /** Whatever examples meet in a batch, one of them twice. */
    private List<PackedBatch> batches() {
        return List.of(PackedBatch.of(examples.subList(0, 4)), PackedBatch.sharingPrefixes(examples.subList(2, 7)),
                PackedBatch.sharingPrefixes(examples), PackedBatch.of(examples), PackedBatch.of(examples.subList(5, 9)),
                PackedBatch.of(List.of(examples.get(3), examples.get(3))));
    }

    private void assertWholePassesGiveTheSame(Tiny tiny, FrozenStates states) {
        try (TrainingPasses whole = passes(tiny, FrozenStates.none());
                TrainingPasses kept = passes(tiny, states)) {
            for (PackedBatch batch : batches()) {
                double loss = whole.training(batch, 3, pass -> pass.backward(weight));
                float[] gradients = tiny.takeGradients();
                assertEquals(loss, kept.training(batch, 3, pass -> pass.backward(weight)), ROUNDING * loss);
                assertEquals(0, Tiny.distance(gradients, tiny.takeGradients()), ROUNDING);
                loss = loss(whole, batch);
                assertEquals(loss, loss(kept, batch), ROUNDING * loss);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void lossAndGradientsMatchWholePasses(KernelProvider provider) {
        try (Tiny tiny = upper(provider.create(2))) {
            assertWholePassesGiveTheSame(tiny, all(tiny));
        }
    }

    @Test
    void eachExampleIsKeptOnceAndFreedInTheEnd() {
        try (Tiny tiny = upper(new NaiveKernels())) {
            FrozenStates states = all(tiny);
            try (TrainingPasses passes = passes(tiny, states)) {
                batches().forEach(batch -> passes.training(batch, 0, pass -> pass.backward(weight)));
                assertEquals(bytes(examples), states.keptBytes());
            }
            assertEquals(0, states.keptBytes());
        }
    }

    @Test
    void examplesWithoutRoomAreComputedInEachPass() {
        long room = bytes(examples.subList(0, 3)) + ROW_BYTES;
        try (Tiny tiny = upper(new NaiveKernels())) {
            assertWholePassesGiveTheSame(tiny, upTo(room, tiny));
            FrozenStates states = upTo(room, tiny);
            try (TrainingPasses passes = passes(tiny, states)) {
                batches().forEach(batch -> loss(passes, batch));
                assertEquals(bytes(examples.subList(0, 3)), states.keptBytes());
            }
        }
    }

    @Test
    void layersBelowTheFirstAdapterRunInTheFirstEpochAlone() {
        List<TokenSequence> few = examples.subList(0, 2);
        AtomicInteger layers = new AtomicInteger();
        try (Tiny tiny = upper(countingAttention(layers))) {
            assertTrue(bytes(few) <= tiny.network.description().parameters(), "no room in a quarter of the weights");
            tiny.trainer().epochs(4).batchSize(2).build().train(few);
        }
        assertEquals(4 + 1, layers.get(), "attention of the upper layer in each epoch, of the lower in the first");
        layers.set(0);
        try (Tiny tiny = upper(countingAttention(layers))) {
            tiny.trainer().epochs(1).batchSize(2).build().train(few);
        }
        assertEquals(2, layers.get());
    }

    @Test
    void anotherChoiceOfAdaptersForgetsWhatWasKept() {
        PackedBatch batch = PackedBatch.of(examples);
        try (Tiny tiny = upper(new NaiveKernels());
                TrainingPasses kept = passes(tiny, all(tiny));
                TrainingPasses whole = passes(tiny, FrozenStates.none())) {
            double above = loss(kept, batch);
            tiny.model.addAdapter("lower", Tiny.onLayer(0).rank(2).build(), new SplittableRandom(8));
            tiny.model.activate("lower");
            double below = loss(kept, batch);
            assertTrue(Math.abs(above - below) > 1e-3 * above, "the adapters do the same");
            assertEquals(loss(whole, batch), below, ROUNDING * below);
            tiny.model.activate(PeftModel.DEFAULT_ADAPTER);
            assertEquals(above, loss(kept, batch), ROUNDING * above);
        }
    }

    @Test
    void nothingIsKeptWhereTheFirstLayerIsAdapted() {
        try (Tiny tiny = new Tiny()) {
            FrozenStates states = all(tiny);
            try (TrainingPasses passes = passes(tiny, states)) {
                assertTrue(passes.training(PackedBatch.of(examples), 0, pass -> pass.backward(weight)) > 0);
                assertEquals(0, states.keptBytes());
            }
        }
    }

    private static Kernels countingAttention(AtomicInteger count) {
        Kernels kernels = new NaiveKernels();
        return (Kernels) Proxy.newProxyInstance(Kernels.class.getClassLoader(), new Class<?>[] {Kernels.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("attention")) {
                        count.incrementAndGet();
                    }
                    return method.invoke(kernels, arguments);
                });
    }
}
