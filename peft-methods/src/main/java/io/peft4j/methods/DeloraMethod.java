package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DeLoRA; {@link DeloraConfig} says what it computes. */
@Internal
public final class DeloraMethod extends ConfiguredMethod<DeloraConfig> {
    @Override
    protected Adapter adapter(DeloraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        Function<Slot, Integer> ranks = targets.values(new PathPatterns<>("rank_pattern", config.rankPattern()),
                config.rank());
        Function<Slot, Double> bounds = targets.values(new PathPatterns<>("lambda_pattern", config.lambdaPattern()),
                config.lambda());
        return targets.adapter(config,
                slot -> new DeloraLayer(setup, slot, config, ranks.apply(slot), bounds.apply(slot)));
    }

    /**
     * DeLoRA on a linear layer (<a href="https://arxiv.org/abs/2503.18225">2503.18225</a>): {@code y = base(x) + ((x *
     * n) A^T * s) B^T}: A [r, in], B [out, r], {@code s_k = l / r / (|A_k| |B^k|)} [r] with norms of at least 1e-4, l
     * [1], and n [in], which is stored and not trained. {@code r * (in + out) + 1} parameters. Gradients of s:
     * {@code dA_k = -ds_k s_k A_k / |A_k|^2} where the norm is above the least, so for B, and {@code dl = sum of ds_k
     * s_k / l}.
     */
    private static final class DeloraLayer extends ChangeLayer {
        private static final double LEAST = 1e-4;

        private final AdapterTensor a;
        private final AdapterTensor b;
        private final AdapterTensor bound;
        private final AdapterTensor weightNorms;

        DeloraLayer(AdapterSetup setup, Slot slot, DeloraConfig config, int rank, double lambda) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            this.a = setup.tensor(slot, "delora_A", Initializer.linear(in), rank, in);
            this.b = setup.tensor(slot, "delora_B", config.initWeights() ? Initializer.ZEROS
                    : Initializer.linear(rank), linear().outFeatures(), rank);
            this.bound = setup.tensor(slot, "delora_lambda", Initializer.constant(lambda), 1);
            this.weightNorms = setup.tensor(slot, "delora_w_norm", (values, random) -> {
                float[] norms = Arrays.floats(columnNorms(linear().weight()));
                Arrays.write(values, 0, norms, 0, norms.length);
            }, in).frozen().inPlaceOfBase();
        }

        private static double[] columnNorms(FrozenWeight weight) {
            double[] sums = new double[weight.columns()];
            float[] row = new float[sums.length];
            for (int i = 0; i < weight.rows(); i++) {
                weight.readRow(i, row, 0);
                for (int j = 0; j < row.length; j++) {
                    sums[j] += (double) row[j] * row[j];
                }
            }
            for (int j = 0; j < sums.length; j++) {
                sums[j] = Math.sqrt(sums[j]);
            }
            return sums;
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable factorA = tape.parameter(a.parameter());
            Variable factorB = tape.parameter(b.parameter());
            Variable h = MatrixOps.product(tape,
                    ScaleOps.columns(tape, kept, tape.constant(weightNorms.parameter().value())), false, factorA, true);
            return MatrixOps.product(tape, ScaleOps.columns(tape, h, scales(tape, factorA, factorB)), false, factorB,
                    true);
        }

        private Variable scales(Tape tape, Variable factorA, Variable factorB) {
            Variable l = tape.parameter(bound.parameter());
            int rank = factorA.rows();
            double[] normsA = norms(factorA.value(), rank, false);
            double[] normsB = norms(factorB.value(), rank, true);
            double lambda = Arrays.toFloats(l.value())[0];
            double[] directions = new double[rank];
            for (int k = 0; k < rank; k++) {
                directions[k] = 1 / (rank * Math.max(normsA[k], LEAST) * Math.max(normsB[k], LEAST));
            }
            float[] values = new float[rank];
            for (int k = 0; k < rank; k++) {
                values[k] = (float) (lambda * directions[k]);
            }
            INDArray s = tape.allocateFloat(rank);
            Arrays.write(s, 0, values, 0, rank);
            return tape.record(s, (out, ds) -> {
                float[] g = Arrays.toFloats(ds);
                double[] dl = new double[1];
                double[] weights = new double[rank];
                for (int k = 0; k < rank; k++) {
                    dl[0] += g[k] * directions[k];
                    weights[k] = -g[k] * lambda * directions[k];
                }
                l.addGradient((d, accumulate) -> HeapRows.write(d, dl, accumulate));
                factorA.addGradient((d, accumulate) -> HeapRows.write(d,
                        gradient(factorA.value(), weights, normsA, false), accumulate));
                factorB.addGradient((d, accumulate) -> HeapRows.write(d,
                        gradient(factorB.value(), weights, normsB, true), accumulate));
            }, List.of(factorA, factorB, l));
        }

        /** The rank's number of an element. */
        private static int number(int i, int length, int rank, boolean ofColumns) {
            return ofColumns ? i % rank : i / (length / rank);
        }

        private static double[] norms(INDArray matrix, int rank, boolean ofColumns) {
            float[] values = Arrays.toFloats(matrix);
            double[] sums = new double[rank];
            for (int i = 0; i < values.length; i++) {
                sums[number(i, values.length, rank, ofColumns)] += (double) values[i] * values[i];
            }
            for (int k = 0; k < rank; k++) {
                sums[k] = Math.sqrt(sums[k]);
            }
            return sums;
        }

        private static double[] gradient(INDArray matrix, double[] weights, double[] norms, boolean ofColumns) {
            float[] values = Arrays.toFloats(matrix);
            double[] result = new double[values.length];
            for (int i = 0; i < values.length; i++) {
                int k = number(i, values.length, norms.length, ofColumns);
                result[i] = norms[k] < LEAST ? 0 : weights[k] * values[i] / (norms[k] * norms[k]);
            }
            return result;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a, b, bound, weightNorms);
        }
    }
}
