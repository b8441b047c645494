package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.Targets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Poly; {@link PolyConfig} says what it computes. */
@Internal
public final class PolyMethod extends ConfiguredMethod<PolyConfig> {
    @Override
    protected Adapter adapter(PolyConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config, slot -> new PolyLayer(setup, slot, config));
    }

    /**
     * Poly on a linear layer (<a href="https://arxiv.org/abs/2202.13914">2202.13914</a>): {@code y = base(x) + x A B /
     * r}: {@code poly_lora_A} [splits, skills, in / splits, r] and {@code poly_lora_B} [splits, skills, r, out /
     * splits], of which each split's skills are summed with the weights w of {@code poly_router.module_logits} z
     * [tasks, splits * skills], the row of the task. {@code skills * (r * (in + out) + tasks * splits)} parameters.
     */
    private static final class PolyLayer extends ChangeLayer {
        /** As in Hugging Face PEFT, so that weights of 0 give 0. */
        private static final double LEAST = 1e-12;

        private final PolyConfig config;
        private final int rank;
        private final int skills;
        private final int splits;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final AdapterTensor logits;

        PolyLayer(AdapterSetup setup, Slot slot, PolyConfig config) {
            super(setup, slot, 0);
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            this.config = config;
            this.rank = config.rank();
            this.skills = config.skills();
            this.splits = config.splits();
            if (in % splits != 0 || out % splits != 0) {
                throw new ConfigurationException("n_splits is " + splits + ", which does not divide both sides of the "
                        + "weight [" + out + ", " + in + "] of " + slot.path());
            }
            this.a = setup.tensor(slot, "poly_lora_A", Initializer.linear(in / splits), splits, skills, in / splits,
                    rank);
            this.b = setup.tensor(slot, "poly_lora_B", config.initWeights() ? Initializer.ZEROS
                    : Initializer.linear(rank), splits, skills, rank, out / splits);
            this.logits = setup.tensor(slot, "poly_router.module_logits", Initializer.uniform(1e-3), config.tasks(),
                    (long) splits * skills);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            return mixed(tape, x, weights(tape, config.task(TokenSequence.NO_TASK).required(), Optional.empty()));
        }

        /** Of each task's rows. */
        @Override
        protected Variable changeIn(ForwardContext context, Variable x, Variable kept) {
            Tape tape = context.tape();
            Map<Integer, int[]> rows = context.batch().rowsOfTasks();
            Checks.require(rows.size() == 1 || x.rows() == context.batch().rows(), "Poly cannot compute several tasks "
                    + "in one batch at " + slot().path() + ", which runs on chosen rows; leave it out of the targets, "
                    + "or run one batch for each task");
            List<Variable> parts = new ArrayList<>();
            rows.forEach((task, own) -> parts.add(mixed(tape, rows.size() == 1 ? x : RowOps.gatherRows(tape, x, own),
                    weights(tape, config.task(task).required(), context.isTraining()
                            ? Optional.of(new SplittableRandom(context.nextDropoutSeed())) : Optional.empty()))));
            return rows.size() == 1 ? parts.get(0) : RowOps.assemble(tape, parts, List.copyOf(rows.values()));
        }

        private Variable mixed(Tape tape, Variable x, Variable weights) {
            Variable h = MatrixOps.product(tape, x, false, mixture(tape, a, weights, rank, false), false);
            Variable change = MatrixOps.product(tape, h, false, mixture(tape, b, weights, linear().outFeatures(), true),
                    false);
            return ElementwiseOps.scale(tape, change, 1f / rank);
        }

        /**
         * w [splits * skills]; with {@code q = sigmoid(z)}: {@code dz_s = q_s (1 - q_s) (dw_s - sum of w dw) / sum}.
         */
        private Variable weights(Tape tape, int task, Optional<SplittableRandom> noise) {
            Variable z = tape.parameter(logits.parameter());
            float[] values = Arrays.toFloats(z.value());
            double[] q = new double[splits * skills];
            int from = task * q.length;
            double[] sums = new double[splits];
            for (int i = 0; i < q.length; i++) {
                double u = noise.map(random -> random.nextDouble(1e-7, 1)).orElse(0.5);
                q[i] = 1 / (1 + Math.exp(-values[from + i]) * (1 - u) / u);
                sums[i / skills] += q[i];
            }
            double[] w = new double[q.length];
            for (int i = 0; i < q.length; i++) {
                w[i] = q[i] / (sums[i / skills] + LEAST);
            }
            INDArray result = tape.allocateFloat(w.length);
            Arrays.write(result, 0, Arrays.floats(w), 0, w.length);
            return tape.record(result, (output, dw) -> z.addGradient((d, accumulate) -> {
                float[] g = Arrays.toFloats(dw);
                double[] along = new double[splits];
                for (int i = 0; i < g.length; i++) {
                    along[i / skills] += w[i] * g[i];
                }
                double[] dz = new double[values.length];
                for (int i = 0; i < g.length; i++) {
                    dz[from + i] = q[i] * (1 - q[i]) * (g[i] - along[i / skills]) / (sums[i / skills] + LEAST);
                }
                HeapRows.write(d, dz, accumulate);
            }), List.of(z));
        }

        /**
         * The sums over skills as a matrix: the splits one below the other, or beside each other, with the gradients
         * {@code dP[q, s] = w[q, s] dM[q]} and {@code dw[q, s] = sum of dM[q] P[q, s]}.
         */
        private Variable mixture(Tape tape, AdapterTensor tensor, Variable weights, int columns, boolean beside) {
            Variable p = tape.parameter(tensor.parameter());
            float[] all = Arrays.toFloats(p.value());
            int block = all.length / (splits * skills);
            float[] w = Arrays.toFloats(weights.value());
            double[] sums = new double[splits * block];
            for (int i = 0; i < all.length; i++) {
                sums[place(i, block, columns, beside)] += (double) w[i / block] * all[i];
            }
            INDArray m = tape.allocateFloat(sums.length / columns, columns);
            Arrays.write(m, 0, Arrays.floats(sums), 0, sums.length);
            return tape.record(m, (out, dm) -> {
                float[] g = Arrays.toFloats(dm);
                double[] dp = new double[all.length];
                double[] dw = new double[w.length];
                for (int i = 0; i < all.length; i++) {
                    float own = g[place(i, block, columns, beside)];
                    dp[i] = (double) w[i / block] * own;
                    dw[i / block] += (double) all[i] * own;
                }
                p.addGradient((d, accumulate) -> HeapRows.write(d, dp, accumulate));
                weights.addGradient((d, accumulate) -> HeapRows.write(d, dw, accumulate));
            }, List.of(p, weights));
        }

        /** Where an element of all splits and skills goes. */
        private int place(int i, int block, int columns, boolean beside) {
            int split = i / (block * skills);
            int within = i % block;
            int width = columns / splits;
            return beside ? within / width * columns + split * width + within % width : split * block + within;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a, b, logits);
        }

        /** Training draws random numbers. */
        @Override
        public boolean hasDropout() {
            return true;
        }

        @Override
        public Optional<String> mergeObstacle() {
            return config.task().isPresent() || config.tasks() == 1 ? super.mergeObstacle() : Optional.of("it is of "
                    + config.tasks() + " tasks, and has no task_id that says which to merge");
        }

        @Override
        public Optional<String> mixingObstacle() {
            return Optional.of("it draws random numbers for all rows of a batch in training");
        }
    }
}
