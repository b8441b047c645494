package io.peft4j.core.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.kernel.Nd4jKernels;
import io.peft4j.core.peft.TinyNetwork;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A whole small network with a low-rank update on every linear layer: however sequences are packed, losses and
 * gradients are those of one sequence at a time.
 */
class PackedPassTest {
    private static final List<Supplier<Kernels>> IMPLEMENTATIONS = List.of(NaiveKernels::new, () -> new Nd4jKernels(2));

    private static final List<TokenSequence> SEQUENCES = List.of(
            TokenSequence.allSupervised(1, 2, 3, 4, 5, 6, 7),
            new TokenSequence(new int[] {1, 2, 3, 4, 5, 9, 9, 2}, new float[] {0, 0, 1, 0, 2, 1, 0, 1}),
            TokenSequence.allSupervised(1, 2, 3, 4, 5, 9, 9, 2),
            TokenSequence.allSupervised(1, 2, 3, 4, 5, 6, 7),
            TokenSequence.allSupervised(1, 2, 3, 4, 5),
            TokenSequence.allSupervised(8, 12));

    /** Losses of all targets, and the gradients of their weighted sum. */
    private record Outcome(float[] nll, List<float[]> gradients) {
    }

    private static final class Updates implements LayerSelection, AutoCloseable {
        private final Map<String, Parameter[]> parameters = new LinkedHashMap<>();
        private final Random random = new Random(9);

        @Override
        public Layer at(Slot slot) {
            if (!(slot.layer() instanceof Linear linear) || slot.path().equals("lm_head")) {
                return slot.layer();
            }
            Parameter[] ab = parameters.computeIfAbsent(slot.path(), path -> new Parameter[] {
                new Parameter(path + ".a", normal(2, linear.inFeatures())),
                new Parameter(path + ".b", normal(linear.outFeatures(), 2))});
            return (context, x) -> {
                Tape tape = context.tape();
                return MatrixOps.addLowRank(tape, linear.forward(context, x), x, tape.parameter(ab[0]),
                        tape.parameter(ab[1]), 0.5f);
            };
        }

        private INDArray normal(int rows, int columns) {
            float[] values = new float[rows * columns];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (0.3 * random.nextGaussian());
            }
            return Arrays.of(values, rows, columns);
        }

        List<Parameter> all() {
            return parameters.values().stream().flatMap(java.util.Arrays::stream).toList();
        }

        @Override
        public void close() {
            all().forEach(Parameter::close);
        }
    }

    private static float[] pass(Kernels kernels, Arena arena, TinyNetwork network, Updates updates, PackedBatch batch,
            DataType type) {
        PackedBatch.Targets targets = batch.targets();
        float[] nll = new float[targets.count()];
        if (targets.count() == 0) {
            return nll;
        }
        try (Tape tape = Tape.recording(kernels, arena, type)) {
            ForwardContext context = ForwardContext.training(tape, batch, updates, 1);
            Variable rows = RowOps.gatherRows(tape, network.hidden(context), targets.rows());
            Variable logits = network.logits(context, rows);
            kernels.crossEntropy(logits.value(), targets.ids(), nll);
            INDArray gradient = arena.allocate(logits.value().dataType(), logits.value().shape());
            kernels.scale(logits.value(), 1, gradient, false);
            kernels.crossEntropyBackward(gradient, targets.ids(), targets.weights());
            tape.backward(logits, gradient);
            arena.free(gradient);
        }
        assertEquals(0, arena.liveBytes(), "memory is still held after the pass");
        return nll;
    }

    private static Outcome run(Kernels kernels, DataType type, List<PackedBatch> batches) {
        try (TinyNetwork network = new TinyNetwork(3, true, false);
                Updates updates = new Updates();
                Arena arena = new Arena()) {
            List<float[]> losses = new ArrayList<>();
            for (PackedBatch batch : batches) {
                losses.add(pass(kernels, arena, network, updates, batch, type));
            }
            int count = losses.stream().mapToInt(l -> l.length).sum();
            float[] nll = new float[count];
            int at = 0;
            for (float[] part : losses) {
                System.arraycopy(part, 0, nll, at, part.length);
                at += part.length;
            }
            return new Outcome(nll, updates.all().stream().map(p -> Arrays.toFloats(p.gradient())).toList());
        }
    }

    private static void assertClose(Outcome expected, Outcome actual, double tolerance) {
        assertArrayEquals(expected.nll(), actual.nll(), (float) tolerance, "losses");
        for (int i = 0; i < expected.gradients().size(); i++) {
            float[] gradient = expected.gradients().get(i);
            double level = 0;
            for (float value : gradient) {
                level = Math.max(level, Math.abs(value));
            }
            assertTrue(level > 1e-3, "parameter " + i + " gets a gradient");
            assertArrayEquals(gradient, actual.gradients().get(i), (float) (tolerance * level), "parameter " + i);
        }
    }

    @Test
    void packedEqualsOneByOne() {
        for (Supplier<Kernels> implementation : IMPLEMENTATIONS) {
            try (Kernels kernels = implementation.get()) {
                Outcome alone = run(kernels, DataType.FLOAT,
                        SEQUENCES.stream().map(s -> PackedBatch.of(List.of(s))).toList());
                Outcome packed = run(kernels, DataType.FLOAT, List.of(PackedBatch.of(SEQUENCES)));
                // Two layers in f32; only the order of sums over rows differs.
                assertClose(alone, packed, 1e-5);
            }
        }
    }

    @Test
    void sharedPrefixesEqualSeparateSequences() {
        PackedBatch shared = PackedBatch.sharingPrefixes(SEQUENCES);
        assertEquals(7 + 3 + 2, shared.rows());
        for (Supplier<Kernels> implementation : IMPLEMENTATIONS) {
            try (Kernels kernels = implementation.get()) {
                Outcome packed = run(kernels, DataType.FLOAT, List.of(PackedBatch.of(SEQUENCES)));
                assertClose(packed, run(kernels, DataType.FLOAT, List.of(shared)), 1e-5);
            }
        }
    }

    @Test
    void sharedPrefixesEqualSeparateSequencesInBfloat16() {
        try (Kernels kernels = new Nd4jKernels(2)) {
            Outcome exact = run(kernels, DataType.FLOAT, List.of(PackedBatch.of(SEQUENCES)));
            Outcome narrow = run(kernels, DataType.BFLOAT16, List.of(PackedBatch.sharingPrefixes(SEQUENCES)));
            // Activations are rounded to 2^-9 some ten times on the way through two layers.
            assertClose(exact, narrow, 0.06);
        }
    }

    @Test
    void implementationsAgree() {
        List<PackedBatch> batches = List.of(PackedBatch.sharingPrefixes(SEQUENCES));
        Outcome naive = run(new NaiveKernels(), DataType.FLOAT, batches);
        try (Kernels kernels = new Nd4jKernels(2)) {
            assertClose(naive, run(kernels, DataType.FLOAT, batches), 1e-5);
        }
    }

    @Test
    void theSamePassGivesTheSameBitsAndTakesNoMoreMemory() {
        try (Kernels kernels = new Nd4jKernels(2);
                TinyNetwork network = new TinyNetwork(3, false, true);
                Updates updates = new Updates();
                Arena arena = new Arena()) {
            PackedBatch batch = PackedBatch.sharingPrefixes(SEQUENCES);
            float[] first = pass(kernels, arena, network, updates, batch, DataType.FLOAT);
            List<float[]> gradients = updates.all().stream().map(p -> Arrays.toFloats(p.gradient())).toList();
            long peak = arena.peakBytes();
            for (int step = 0; step < 3; step++) {
                updates.all().forEach(Parameter::clearGradient);
                arena.reset();
                assertArrayEquals(first, pass(kernels, arena, network, updates, batch, DataType.FLOAT));
                for (int i = 0; i < gradients.size(); i++) {
                    assertArrayEquals(gradients.get(i), Arrays.toFloats(updates.all().get(i).gradient()));
                }
                assertEquals(peak, arena.peakBytes());
            }
        }
    }
}
