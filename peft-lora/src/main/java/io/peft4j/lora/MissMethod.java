package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
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
}
