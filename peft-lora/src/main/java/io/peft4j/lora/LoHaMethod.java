package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arena;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LoHa; {@link LoHaConfig} says what it computes. */
@Internal
public final class LoHaMethod extends ConfiguredMethod<LoHaConfig> {
    @Override
    protected Adapter adapter(LoHaConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> ranks = targets.values(new PathPatterns<>("rank_pattern", config.rankPattern()),
                config.rank());
        Function<Slot, Double> alphas = targets.values(new PathPatterns<>("alpha_pattern", config.alphaPattern()),
                config.alpha());
        return targets.adapter(config,
                slot -> new LoHaLayer(setup, slot, config, ranks.apply(slot), alphas.apply(slot)));
    }

    /**
     * LoHa on a linear layer (<a href="https://arxiv.org/abs/2108.06098">2108.06098</a>):
     * {@code D = s * (A1 B1) * (A2 B2)}, elementwise, {@code y = base(x) + x D^T}: A1, A2 [out, r], B1, B2 [r, in].
     * {@code 2 * r * (in + out)} parameters. Gradients, with {@code P1 = A1 B1} and {@code P2 = A2 B2}:
     * {@code dP1 = s * dD * P2}, {@code dA1 = dP1 B1^T}, {@code dB1 = A1^T dP1}, and so for the other pair.
     */
    private static final class LoHaLayer extends LycorisLayer {
        private final float scaling;
        private final AdapterTensor a1;
        private final AdapterTensor b1;
        private final AdapterTensor a2;
        private final AdapterTensor b2;

        LoHaLayer(AdapterSetup setup, Slot slot, LoHaConfig config, int rank, double alpha) {
            super(setup, slot, config.rankDropout(), config.moduleDropout(), true);
            Linear linear = linear();
            int in = linear.inFeatures();
            int out = linear.outFeatures();
            this.scaling = (float) (alpha / rank);
            this.a1 = setup.tensor(slot, "hada_w1_a", Initializer.linear(rank), out, rank);
            this.b1 = setup.tensor(slot, "hada_w1_b", Initializer.linear(in), rank, in);
            this.a2 = setup.tensor(slot, "hada_w2_a", Initializer.linear(rank), out, rank);
            this.b2 = setup.tensor(slot, "hada_w2_b", config.initWeights() ? Initializer.ZEROS : Initializer.linear(in),
                    rank, in);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a1, b1, a2, b2);
        }

        @Override
        protected Variable delta(Tape tape) {
            Pair first = new Pair(tape.parameter(a1.parameter()), tape.parameter(b1.parameter()));
            Pair second = new Pair(tape.parameter(a2.parameter()), tape.parameter(b2.parameter()));
            Kernels kernels = tape.kernels();
            Arena arena = tape.arena();
            Consumer<INDArray> forward = result -> {
                INDArray product = second.product(kernels, arena);
                kernels.matmul(first.a().value(), false, first.b().value(), false, result, scaling, false);
                kernels.multiply(result, product, result, false);
                arena.free(product);
            };
            INDArray result = tape.allocateFloat(first.a().rows(), first.b().columns());
            forward.accept(result);
            return tape.recordRecomputable(result, forward, (out, dy) -> {
                first.addGradients(kernels, arena, dy, second);
                second.addGradients(kernels, arena, dy, first);
            }, List.of(first.a(), first.b(), second.a(), second.b()));
        }

        /** A factor of rank r: P = A B. */
        private final class Pair {
            private final Variable a;
            private final Variable b;

            Pair(Variable a, Variable b) {
                this.a = a;
                this.b = b;
            }

            Variable a() {
                return a;
            }

            Variable b() {
                return b;
            }

            INDArray product(Kernels kernels, Arena arena) {
                INDArray product = arena.allocate(DataType.FLOAT, a.rows(), b.columns());
                kernels.matmul(a.value(), false, b.value(), false, product, 1f, false);
                return product;
            }

            void addGradients(Kernels kernels, Arena arena, INDArray dy, Pair other) {
                INDArray dp = other.product(kernels, arena);
                kernels.multiply(dp, dy, dp, false);
                a.addGradient((da, accumulate) -> kernels.matmul(dp, false, b.value(), true, da, scaling, accumulate));
                b.addGradient((db, accumulate) -> kernels.matmul(a.value(), true, dp, false, db, scaling, accumulate));
                arena.free(dp);
            }
        }
    }
}
