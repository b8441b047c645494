package io.peft4j.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.KernelProvider;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TargetModules;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.text.WordTokenizer;
import io.peft4j.lora.Initialization;
import io.peft4j.lora.LoraConfig;
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
    private static final int ROW_BYTES = 4 * TinyNetwork.HIDDEN;

    private final List<TokenSequence> examples = Tiny.examples(9, 1);
    private final double weight = TrainingSet.weight(examples);

    /** LoRA on the upper one of two layers, with dropout, whose B is not 0. */
    private static final class Upper implements AutoCloseable {
        final TinyModel base;
        final PeftModel model;

        Upper(Kernels kernels) {
            base = new TinyModel(new TinyNetwork(5, false, true), new WordTokenizer(TinyNetwork.VOCABULARY), kernels);
            model = PeftModel.of(base, on(1), new SplittableRandom(6));
        }

        static LoraConfig on(int layer) {
            return LoraConfig.builder().rank(2).alpha(4).dropout(0.3).initialization(Initialization.RANDOM)
                    .targetModules(TargetModules.of(List.of("q_proj", "v_proj", "up_proj"))).layersToTransform(layer)
                    .build();
        }

        CausalLmObjective objective(FrozenStates states) {
            return new CausalLmObjective(model, false, states);
        }

        float[] gradients() {
            int length = model.trainableParameters().stream().mapToInt(p -> (int) p.length()).sum();
            float[] all = new float[length];
            int at = 0;
            for (var parameter : model.trainableParameters()) {
                float[] values = Arrays.toFloats(parameter.gradient());
                System.arraycopy(values, 0, all, at, values.length);
                at += values.length;
                parameter.clearGradient();
            }
            return all;
        }

        @Override
        public void close() {
            model.close();
            base.close();
        }
    }

    private static long rows(List<TokenSequence> examples) {
        return examples.stream().mapToLong(TokenSequence::length).sum();
    }

    /** The same loss and gradients as whole passes give, whatever examples meet in a batch. */
    private void assertNothingChanges(Upper upper, FrozenStates states, List<PackedBatch> batches) {
        try (CausalLmObjective whole = upper.objective(FrozenStates.none());
                CausalLmObjective kept = upper.objective(states)) {
            for (PackedBatch batch : batches) {
                double loss = whole.backward(batch, weight, 3);
                float[] gradients = upper.gradients();
                assertEquals(loss, kept.backward(batch, weight, 3), ROUNDING * loss);
                assertEquals(0, Tiny.distance(gradients, upper.gradients()), ROUNDING);
                loss = whole.loss(batch);
                assertEquals(loss, kept.loss(batch), ROUNDING * loss);
            }
        }
    }

    private List<PackedBatch> batches() {
        return List.of(PackedBatch.of(examples.subList(0, 4)), PackedBatch.sharingPrefixes(examples.subList(2, 7)),
                PackedBatch.sharingPrefixes(examples), PackedBatch.of(examples), PackedBatch.of(examples.subList(5, 9)),
                PackedBatch.of(List.of(examples.get(3), examples.get(3))));
    }

    @ParameterizedTest
    @MethodSource("io.peft4j.train.Tiny#kernels")
    void lossAndGradientsAreThoseOfWholePasses(KernelProvider provider) {
        FrozenStates states = FrozenStates.upTo(1 << 20);
        try (Upper upper = new Upper(provider.create(2))) {
            assertNothingChanges(upper, states, batches());
        }
    }

    @Test
    void eachExampleIsKeptOnceAndFreedInTheEnd() {
        FrozenStates states = FrozenStates.upTo(1 << 20);
        try (Upper upper = new Upper(new NaiveKernels())) {
            try (CausalLmObjective objective = upper.objective(states)) {
                batches().forEach(batch -> objective.backward(batch, weight, 0));
                assertEquals(rows(examples) * ROW_BYTES, states.keptBytes());
            }
            assertEquals(0, states.keptBytes());
        }
    }

    @Test
    void examplesWithoutRoomAreComputedInEachPass() {
        long room = rows(examples.subList(0, 3)) * ROW_BYTES;
        FrozenStates states = FrozenStates.upTo(room);
        try (Upper upper = new Upper(new NaiveKernels())) {
            assertNothingChanges(upper, states, batches());
            try (CausalLmObjective objective = upper.objective(states)) {
                batches().forEach(batch -> objective.loss(batch));
                assertTrue(states.keptBytes() > 0 && states.keptBytes() <= room, "kept " + states.keptBytes());
            }
        }
    }

    @Test
    void layersBelowTheFirstAdapterRunInTheFirstEpochAlone() {
        List<TokenSequence> few = examples.subList(0, 2);
        AtomicInteger layers = new AtomicInteger();
        try (Upper upper = new Upper(countingAttention(layers))) {
            assertTrue(rows(few) * ROW_BYTES <= upper.base.network().description().parameters(), "no room");
            Trainer.builder(upper.model).epochs(4).batchSize(2).build().train(few);
        }
        assertEquals(4 + 1, layers.get(), "attention of the upper layer in each epoch, of the lower in the first");
        layers.set(0);
        try (Upper upper = new Upper(countingAttention(layers))) {
            Trainer.builder(upper.model).epochs(1).batchSize(2).build().train(few);
        }
        assertEquals(2, layers.get());
    }

    @Test
    void anotherChoiceOfAdaptersForgetsWhatWasKept() {
        FrozenStates states = FrozenStates.upTo(1 << 20);
        PackedBatch batch = PackedBatch.of(examples);
        try (Upper upper = new Upper(new NaiveKernels()); CausalLmObjective kept = upper.objective(states)) {
            double above = kept.loss(batch);
            upper.model.addAdapter("lower", Upper.on(0), new SplittableRandom(8));
            upper.model.activate("lower");
            double below = kept.loss(batch);
            assertTrue(Math.abs(above - below) > 1e-3 * above, "the adapters do the same");
            try (CausalLmObjective whole = upper.objective(FrozenStates.none())) {
                assertEquals(whole.loss(batch), below, ROUNDING * below);
            }
            upper.model.activate(PeftModel.DEFAULT_ADAPTER);
            assertEquals(above, kept.loss(batch), ROUNDING * above);
        }
    }

    @Test
    void nothingIsKeptWhereTheFirstLayerIsAdapted() {
        FrozenStates states = FrozenStates.upTo(1 << 20);
        try (Tiny tiny = new Tiny(); CausalLmObjective objective = new CausalLmObjective(tiny.model, false, states)) {
            assertTrue(objective.backward(PackedBatch.of(examples), weight, 0) > 0);
            assertEquals(0, states.keptBytes());
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
