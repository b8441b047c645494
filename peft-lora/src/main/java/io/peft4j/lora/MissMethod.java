package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.DeltaLayer;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** MiSS; {@link MissConfig} says what it computes. */
@Internal
public final class MissMethod extends ConfiguredMethod<MissConfig> {
    @Override
    protected Adapter adapter(MissConfig config, AdapterSetup setup) {
        return Targets.of(config.placement(), setup).adapter(config,
                slot -> config.initialization() == MissConfig.Initialization.BAT ? new BatLayer(setup, slot, config)
                        : new MissLayer(setup, slot, config));
    }

    /**
     * {@link MissConfig.Initialization#BAT} on a linear layer: the change of each r x r piece of W is {@code D_ij =
     * W_ij M_i + M_i}, i over the pieces of outputs, j over those of inputs: M [out / r, r, r], {@code out * r}
     * parameters. Gradient: {@code dM_i = sum over j of (W_ij^T dD_ij + dD_ij)}. As in Hugging Face PEFT, there is no
     * dropout.
     */
    private static final class BatLayer extends DeltaLayer {
        private final FrozenWeight weight;
        private final int rank;
        private final AdapterTensor block;

        BatLayer(AdapterSetup setup, Slot slot, MissConfig config) {
            super(setup, slot);
            Linear linear = linear();
            this.weight = linear.weight();
            this.rank = config.rank();
            MissLayer.requireRank(slot, linear, rank);
            if (linear.inFeatures() % rank != 0 || linear.outFeatures() % rank != 0) {
                throw new TargetModuleException("the rank (r) is " + rank + " and does not divide the sizes of "
                        + slot.path() + ", " + linear.inFeatures() + " and " + linear.outFeatures()
                        + ", which init_weights \"bat\" requires");
            }
            this.block = setup.tensor(slot, "miss_block", Initializer.ZEROS, linear.outFeatures() / rank, rank, rank);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(block);
        }

        @Override
        protected Variable delta(Tape tape) {
            Variable m = tape.parameter(block.parameter());
            Consumer<INDArray> forward = result -> compute(m.value(), result);
            INDArray result = tape.allocateFloat(weight.rows(), weight.columns());
            forward.accept(result);
            return tape.recordRecomputable(result, forward,
                    (out, dy) -> m.addGradient((dm, accumulate) -> gradient(dy, dm, accumulate)), List.of(m));
        }

        private void compute(INDArray m, INDArray result) {
            float[] ms = Arrays.toFloats(m);
            int columns = weight.columns();
            IntStream.range(0, weight.rows()).parallel().forEach(row -> {
                float[] w = new float[columns];
                float[] d = new float[columns];
                weight.readRow(row, w, 0);
                int piece = row / rank * rank * rank;
                for (int first = 0; first < columns; first += rank) {
                    for (int l = 0; l < rank; l++) {
                        float sum = ms[piece + row % rank * rank + l];
                        for (int k = 0; k < rank; k++) {
                            sum += w[first + k] * ms[piece + k * rank + l];
                        }
                        d[first + l] = sum;
                    }
                }
                Arrays.write(result, (long) row * columns, d, 0, columns);
            });
        }

        private void gradient(INDArray dy, INDArray dm, boolean accumulate) {
            double[] result = new double[Math.toIntExact(dm.length())];
            int columns = weight.columns();
            IntStream.range(0, weight.rows() / rank).parallel().forEach(i -> {
                int block = i * rank * rank;
                float[] w = new float[columns];
                float[] d = new float[columns];
                for (int row = i * rank; row < (i + 1) * rank; row++) {
                    weight.readRow(row, w, 0);
                    Arrays.read(dy, (long) row * columns, d, 0, columns);
                    for (int column = 0; column < columns; column++) {
                        int l = column % rank;
                        result[block + row % rank * rank + l] += d[column];
                        for (int k = 0; k < rank; k++) {
                            result[block + k * rank + l] += (double) w[column - l + k] * d[column];
                        }
                    }
                }
            });
            HeapRows.write(dm, result, accumulate);
        }
    }

    /**
     * MiSS on a linear layer (<a href="https://arxiv.org/abs/2409.15371">2409.15371</a>): {@code y = base(x) + fold(x)
     * D}, fold(x) [N, r] the sum of the pieces of r columns of dropout(x), D [r, out]; with {@link
     * MissConfig.Initialization#MINI} a block [r, mini_r] is repeated over the outputs. {@code r * out} parameters, or
     * {@code r * mini_r}.
     *
     * <p>Merged: {@code W[o][i] + D[i mod r][o]}.
     */
    private static final class MissLayer extends ProjectedLayer {
        private final int rank;
        private final int out;
        private final AdapterTensor block;

        MissLayer(AdapterSetup setup, Slot slot, MissConfig config) {
            super(slot, config.dropout());
            Linear linear = linear();
            this.rank = config.rank();
            this.out = linear.outFeatures();
            requireRank(slot, linear, rank);
            boolean mini = config.initialization() == MissConfig.Initialization.MINI;
            if (mini && out % config.miniRank() != 0) {
                throw new TargetModuleException("mini_r " + config.miniRank() + " does not divide the " + out
                        + " outputs of " + slot.path());
            }
            int columns = mini ? config.miniRank() : out;
            this.block = setup.tensor(slot, "miss_block", config.initialization() == MissConfig.Initialization.RANDOM
                    ? Initializer.linear(columns) : Initializer.ZEROS, rank, columns);
        }

        static void requireRank(Slot slot, Linear linear, int rank) {
            if (rank > linear.inFeatures()) {
                throw new TargetModuleException("the rank (r) is " + rank + " and " + slot.path() + " has "
                        + linear.inFeatures() + " inputs; choose a smaller rank");
            }
        }

        @Override
        Variable change(Tape tape, Variable x) {
            Variable d = tape.parameter(block.parameter());
            Variable whole = d.columns() == out ? d : Folding.repeat(tape, d, out);
            return MatrixOps.product(tape, Folding.fold(tape, x, rank), false, whole, false);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(block);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            float[] d = Arrays.toFloats(block.parameter().value());
            int width = d.length / rank;
            int in = Arrays.columns(copy.weight());
            float[] row = new float[in];
            for (int o = 0; o < out; o++) {
                Arrays.read(copy.weight(), (long) o * in, row, 0, in);
                for (int i = 0; i < in; i++) {
                    row[i] += d[i % rank * width + o % width];
                }
                Arrays.write(copy.weight(), (long) o * in, row, 0, in);
            }
        }

        /** Sums over pieces of columns and repetitions of columns, on a tape; each is the gradient of the other. */
        private static final class Folding {
            private Folding() {
            }

            /**
             * {@code y[i][k] = sum over p of x[i][p width + k]}: x [N, C], y [N, width], FLOAT; the last piece may be
             * short.
             */
            static Variable fold(Tape tape, Variable x, int width) {
                INDArray y = tape.allocateFloat(x.rows(), width);
                fold(x.value(), y, false);
                return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> repeat(dy, dx, accumulate)),
                        List.of(x));
            }

            /** {@code y[i][j] = x[i][j mod C]}: x [N, C], y [N, columns], FLOAT. */
            static Variable repeat(Tape tape, Variable x, int columns) {
                INDArray y = tape.allocateFloat(x.rows(), columns);
                repeat(x.value(), y, false);
                return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> fold(dy, dx, accumulate)),
                        List.of(x));
            }

            private static void fold(INDArray x, INDArray y, boolean accumulate) {
                int width = Arrays.columns(y);
                int columns = Arrays.columns(x);
                IntStream.range(0, Arrays.rows(y)).parallel().forEach(i -> {
                    float[] row = new float[columns];
                    float[] sum = new float[width];
                    Arrays.read(x, (long) i * columns, row, 0, columns);
                    if (accumulate) {
                        Arrays.read(y, (long) i * width, sum, 0, width);
                    }
                    for (int first = 0; first < columns; first += width) {
                        for (int k = 0; k < Math.min(width, columns - first); k++) {
                            sum[k] += row[first + k];
                        }
                    }
                    Arrays.write(y, (long) i * width, sum, 0, width);
                });
            }

            private static void repeat(INDArray x, INDArray y, boolean accumulate) {
                int width = Arrays.columns(x);
                int columns = Arrays.columns(y);
                IntStream.range(0, Arrays.rows(y)).parallel().forEach(i -> {
                    float[] piece = new float[width];
                    float[] row = new float[columns];
                    Arrays.read(x, (long) i * width, piece, 0, width);
                    if (accumulate) {
                        Arrays.read(y, (long) i * columns, row, 0, columns);
                    }
                    for (int first = 0; first < columns; first += width) {
                        for (int k = 0; k < Math.min(width, columns - first); k++) {
                            row[first + k] += piece[k];
                        }
                    }
                    Arrays.write(y, (long) i * columns, row, 0, columns);
                });
            }
        }
    }
}
