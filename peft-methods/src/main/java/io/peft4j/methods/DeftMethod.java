package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** DEFT; {@link DeftConfig} says what it computes. */
@Internal
public final class DeftMethod extends ConfiguredMethod<DeftConfig> {
    @Override
    protected Adapter adapter(DeftConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        DeftConfig stored = config.toBuilder().fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build();
        return targets.adapter(stored, slot -> new DeftLayer(setup, slot, config));
    }

    /**
     * DEFT on a linear layer (<a href="https://arxiv.org/abs/2509.22793">2509.22793</a>): {@code y = base(x) + (s
     * dropout(x) R^T - x M^T) Q^T}, {@code M = S^T W}: {@code deft_P} [out, r], of which Q and S are made,
     * {@code deft_R} [r, in]. {@code r * (in + out)} parameters, or {@code r * out} without R. The change
     * depends on the weight of the base alone, not on that of other adapters.
     */
    private static final class DeftLayer extends ChangeLayer {
        private final DeftConfig.Decomposition decomposition;
        private final float scaling;
        private final AdapterTensor p;
        private final Optional<AdapterTensor> r;

        DeftLayer(AdapterSetup setup, Slot slot, DeftConfig config) {
            super(setup, slot, config.dropout());
            int out = linear().outFeatures();
            int rank = Math.min(config.rank(), out);
            this.decomposition = config.decomposition();
            this.scaling = config.alpha() == 0 ? 1 : (float) (config.alpha() / rank);
            this.p = setup.tensor(slot, "deft_P", Initializer.normal(0.02), out, rank);
            Initializer start = config.initWeights() ? (values, random) -> {
                float[] rows = setup.base().engine().evaluate(tape -> Arrays.toFloats(
                        ElementwiseOps.scale(tape, removed(tape, factors(tape)[1]), 1 / scaling).value()));
                Arrays.write(values, 0, rows, 0, rows.length);
            } : Initializer.normal(0.02 * config.initScale());
            this.r = config.removalOnly() ? Optional.empty()
                    : Optional.of(setup.tensor(slot, "deft_R", start, rank, linear().inFeatures()));
        }

        /** Q and S. */
        private Variable[] factors(Tape tape) {
            Variable directions = tape.parameter(p.parameter());
            if (decomposition == DeftConfig.Decomposition.RELU) {
                return new Variable[] {directions, ElementwiseOps.activate(tape, Activation.RELU, directions)};
            }
            Variable q = OrthogonalFactor.of(tape, directions);
            return new Variable[] {q, q};
        }

        /** M. */
        private Variable removed(Tape tape, Variable s) {
            return MatrixOps.product(tape, s, true, MatrixOps.values(tape, linear().weight()), false);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable[] factors = factors(tape);
            Variable taken = ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, x, false, removed(tape, factors[1]), true), -1);
            Variable h = r.map(rows -> ElementwiseOps.add(tape, taken, ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, kept, false, tape.parameter(rows.parameter()), true), scaling)))
                    .orElse(taken);
            return MatrixOps.product(tape, h, false, factors[0], true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.concat(Stream.of(p), r.stream()).toList();
        }
    }

    /**
     * The orthogonal factor Q [m, n] of {@code A = Q R}, A [m, n], n at most m, with the signs that LAPACK's
     * reflections give: an element of R's diagonal has the other sign than the element that it reflects; in double,
     * rounded once.
     *
     * <p>Gradient: {@code dA = (dQ + Q M) R^-T}, M symmetric with the upper triangle of {@code -Q^T dQ}.
     */
    private static final class OrthogonalFactor {
        private final int m;
        private final int n;
        private final double[] q;
        private final double[] r;

        private OrthogonalFactor(double[] a, int m, int n) {
            this.m = m;
            this.n = n;
            this.q = new double[m * n];
            this.r = a;
            double[][] normals = new double[n][];
            for (int k = 0; k < n; k++) {
                normals[k] = normal(k);
                reflect(normals[k], k, r, k);
                q[k * n + k] = 1;
            }
            for (int k = n - 1; k >= 0; k--) {
                reflect(normals[k], k, q, 0);
            }
        }

        /** Q on a tape, FLOAT. */
        static Variable of(Tape tape, Variable a) {
            OrthogonalFactor factor = new OrthogonalFactor(Arrays.doubles(Arrays.toFloats(a.value())), a.rows(),
                    a.columns());
            INDArray y = tape.allocateFloat(a.rows(), a.columns());
            Arrays.write(y, 0, Arrays.floats(factor.q), 0, factor.q.length);
            return tape.record(y, (out, dy) -> a.addGradient((d, accumulate) -> HeapRows.write(d,
                    factor.gradient(Arrays.doubles(Arrays.toFloats(dy))), accumulate)), List.of(a));
        }

        /** The normal of the reflection that clears column k below its diagonal; zero where nothing is below. */
        private double[] normal(int k) {
            double[] v = new double[m];
            double below = 0;
            double norm = 0;
            for (int i = k; i < m; i++) {
                v[i] = r[i * n + k];
                norm += v[i] * v[i];
                below += i > k ? v[i] * v[i] : 0;
            }
            if (below == 0) {
                return new double[m];
            }
            v[k] += Math.copySign(Math.sqrt(norm), v[k]);
            return v;
        }

        /** Multiplies the columns of a matrix from {@code first} on by {@code I - 2 v v^T / |v|^2}. */
        private void reflect(double[] v, int k, double[] matrix, int first) {
            double square = 0;
            for (int i = k; i < m; i++) {
                square += v[i] * v[i];
            }
            for (int j = first; j < n && square > 0; j++) {
                double dot = 0;
                for (int i = k; i < m; i++) {
                    dot += v[i] * matrix[i * n + j];
                }
                for (int i = k; i < m; i++) {
                    matrix[i * n + j] -= 2 * dot / square * v[i];
                }
            }
        }

        private double[] gradient(double[] dq) {
            double[] product = DenseMath.product(Arrays.doubles(Arrays.transposed(Arrays.floats(q), m, n)), n, m, dq,
                    n);
            double[] symmetric = new double[n * n];
            for (int i = 0; i < n; i++) {
                for (int j = i; j < n; j++) {
                    symmetric[i * n + j] = -product[i * n + j];
                    symmetric[j * n + i] = -product[i * n + j];
                }
            }
            double[] sum = DenseMath.product(q, m, n, symmetric, n);
            double[] square = new double[n * n];
            for (int i = 0; i < m * n; i++) {
                sum[i] += dq[i];
            }
            for (int i = 0; i < n * n; i++) {
                square[i] = i / n <= i % n ? r[i] : 0;
            }
            return DenseMath.productTransposed(sum, m, n, DenseMath.inverse(square, n), n);
        }
    }
}
