package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RoutingOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Lily; {@link LilyConfig} says what it computes. */
@Internal
public final class LilyMethod extends ConfiguredMethod<LilyConfig> {
    @Override
    protected Adapter adapter(LilyConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Map<String, List<LilyLayer>> kinds = new HashMap<>();
        return targets.adapter(config, slot -> {
            List<LilyLayer> before = kinds.computeIfAbsent(kind(slot, targets.placement().targetModules()),
                    kind -> new ArrayList<>());
            LilyLayer layer = new LilyLayer(setup, slot, config, before);
            before.add(layer);
            return layer;
        });
    }

    /** Layers of a kind share matrices: those that one name of the targets means, and whose weights have one shape. */
    private static String kind(Slot slot, TargetModules targets) {
        Linear linear = (Linear) slot.layer();
        String name = targets.names().orElse(List.of()).stream().filter(slot.path()::endsWith)
                .max(Comparator.comparingInt(String::length)).orElse("");
        return linear.outFeatures() + " " + linear.inFeatures() + " " + name;
    }

    /**
     * Lily on a linear layer (<a href="https://arxiv.org/abs/2407.09946">2407.09946</a>): {@code y = base(x) + s (p_1 h
     * | ... | p_E h) B}, {@code h = x A^T}, p the mean of {@code softmax(h R^T)} over a sequence: {@code lily_A.weight}
     * [r, in], {@code lily_B.weight} [E * r, out], {@code lily_router.weight} R [E, r].
     */
    private static final class LilyLayer extends AbstractAdapterLayer {
        private final float scaling;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final AdapterTensor router;

        LilyLayer(AdapterSetup setup, Slot slot, LilyConfig config, List<LilyLayer> before) {
            super(slot);
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int rank = config.rank();
            this.scaling = (float) config.scaling();
            this.a = before.size() % config.stride() == 0
                    ? setup.tensor(slot, "lily_A.weight", Initializer.linear(in), rank, in)
                    : setup.again(slot, before.get(before.size() / config.stride() * config.stride()).a);
            this.b = before.isEmpty() ? setup.tensor(slot, "lily_B.weight", config.initWeights() ? Initializer.ZEROS
                    : Initializer.linear(out), (long) config.matrices() * rank, out)
                    : setup.again(slot, before.get(0).b);
            this.router = setup.tensor(slot, "lily_router.weight", Initializer.linear(rank), config.matrices(), rank);
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable y = base.forward(context, x);
            Variable h = MatrixOps.product(tape, x, false, tape.parameter(a.parameter()), true);
            Variable p = RoutingOps.softmax(tape, MatrixOps.product(tape, h, false,
                    tape.parameter(router.parameter()), true));
            Variable change = MatrixOps.product(tape, weighted(tape, h, p, sequences(context.batch().layout())), false,
                    tape.parameter(b.parameter()), false);
            return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change, scaling), y);
        }

        /** For each row the number of its sequence: a segment that sees the one before continues its sequence. */
        private static int[] sequences(AttentionLayout layout) {
            int[] numbers = new int[layout.queryRows()];
            int number = -1;
            AttentionLayout.Segment before = null;
            for (AttentionLayout.Segment segment : layout.segments()) {
                int start = before == null ? 0 : before.ownKeyStart();
                boolean goesOn = before != null && segment.context().stream()
                        .anyMatch(seen -> seen.start() <= start && start < seen.end());
                number += goesOn ? 0 : 1;
                java.util.Arrays.fill(numbers, segment.queryStart(), segment.queryEnd(), number);
                before = segment;
            }
            return numbers;
        }

        /**
         * {@code w[n, e r + j] = m[s, e] h[n, j]}, m the means of p over each sequence s. Gradients: {@code dh[n, j] =
         * sum of m[s, e] dw[n, e r + j]}, and of p[n, e] the sum of {@code dw h} over its sequence, divided by its
         * tokens.
         */
        private static Variable weighted(Tape tape, Variable h, Variable p, int... sequence) {
            int rows = h.rows();
            int rank = h.columns();
            int count = p.columns();
            float[] hs = Arrays.toFloats(h.value());
            int[] tokens = new int[sequence[rows - 1] + 1];
            java.util.Arrays.stream(sequence).forEach(s -> tokens[s]++);
            double[] means = means(Arrays.toFloats(p.value()), sequence, tokens);
            float[] w = new float[rows * count * rank];
            for (int i = 0; i < w.length; i++) {
                int n = i / (count * rank);
                w[i] = (float) (means[sequence[n] * count + i / rank % count] * hs[n * rank + i % rank]);
            }
            INDArray result = tape.allocateFloat(rows, count * rank);
            Arrays.write(result, 0, w, 0, w.length);
            return tape.record(result, (output, gradient) -> {
                float[] dw = Arrays.toFloats(gradient);
                double[] dh = new double[hs.length];
                double[] dm = new double[means.length];
                for (int i = 0; i < dw.length; i++) {
                    int n = i / (count * rank);
                    int mean = sequence[n] * count + i / rank % count;
                    dh[n * rank + i % rank] += means[mean] * dw[i];
                    dm[mean] += (double) dw[i] * hs[n * rank + i % rank];
                }
                double[] dp = new double[rows * count];
                for (int i = 0; i < dp.length; i++) {
                    int s = sequence[i / count];
                    dp[i] = dm[s * count + i % count] / tokens[s];
                }
                h.addGradient((d, accumulate) -> HeapRows.write(d, dh, accumulate));
                p.addGradient((d, accumulate) -> HeapRows.write(d, dp, accumulate));
            }, List.of(h, p));
        }

        private static double[] means(float[] p, int[] sequence, int... tokens) {
            int count = p.length / sequence.length;
            double[] means = new double[tokens.length * count];
            for (int i = 0; i < p.length; i++) {
                means[sequence[i / count] * count + i % count] += (double) p[i] / tokens[sequence[i / count]];
            }
            return means;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a, b, router);
        }

        @Override
        public boolean readsWholeSequences() {
            return true;
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional
                    .of("its router mixes the matrices separately for each sequence, and a weight is the same for all");
        }

        @Override
        public Optional<String> mixingObstacle() {
            return Optional.of("it reads whole sequences");
        }
    }
}
