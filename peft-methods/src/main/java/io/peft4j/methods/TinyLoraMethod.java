package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.random.TorchRandom;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** TinyLoRA; {@link TinyLoraConfig} says what it computes. */
@Internal
public final class TinyLoraMethod extends ConfiguredMethod<TinyLoraConfig> {
    @Override
    protected Adapter adapter(TinyLoraConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup, setup.base().defaultTargetModules(),
                layer -> layer instanceof Linear || layer instanceof Embedding);
        TinyLoraConfig stored = targets.named(config.toBuilder()
                .fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build());
        List<Slot> slots = targets.slots();
        int groups = Math.max(1, (int) Math.rint(slots.size() * (1 - config.weightTying())));
        int size = Math.max(1, slots.size() / groups);
        List<AdapterTensor> vectors = new ArrayList<>();
        for (int i = 0; i <= Math.min((slots.size() - 1) / size, groups - 1); i++) {
            vectors.add(setup.sharedTensor("base_model.tinylora_v." + i,
                    config.initialization() == TinyLoraConfig.Initialization.ZERO ? Initializer.ZEROS
                            : Initializer.uniform(config.initBound()),
                    config.length()));
        }
        List<Directions> derived = new ArrayList<>();
        List<AdapterLayer> layers = targets.layers(slot -> {
            int number = slots.indexOf(slot);
            Directions directions = new Directions(setup, slot, config, number,
                    vectors.get(Math.min(number / size, groups - 1)));
            derived.add(directions);
            return slot.layer() instanceof Embedding ? new TinyLoraEmbedding(setup, slot, directions)
                    : new TinyLoraLayer(setup, slot, config, directions);
        });
        return new LayeredAdapter(stored, layers, vectors, Map.of(), () -> derived.forEach(Directions::close));
    }

    /** The r largest singular directions of a weight [m, n], and the random matrices. */
    private static final class Directions implements AutoCloseable {
        private final int rank;
        private final AdapterTensor v;
        /** A [r, n], B [m, r], and P [u, r, r] where it is in the file. */
        private final List<AdapterTensor> tensors = new ArrayList<>();
        /** P as [u, r * r], where it is not. */
        private Optional<INDArray> drawn = Optional.empty();

        Directions(AdapterSetup setup, Slot slot, TinyLoraConfig config, int number, AdapterTensor v) {
            FrozenWeight weight = ((WeightedLayer) slot.layer()).matrix().orElseThrow();
            int rows = weight.rows();
            int columns = weight.columns();
            this.rank = Math.min(config.rank(), Math.min(rows, columns));
            this.v = v;
            float[][] factors = setup.isRestoring() ? new float[2][] : factors(weight);
            add(setup.tensor(slot, "tinylora_A", Initializer.values(factors[0]), rank, columns));
            add(setup.tensor(slot, "tinylora_B", Initializer.values(factors[1]), rows, rank));
            float[] p = new TorchRandom(config.seed() + number).normal(config.length() * rank * rank,
                    1 / Math.sqrt(rank));
            if (config.saveProjection()) {
                add(setup.tensor(slot, "tinylora_P", Initializer.values(p), config.length(), rank, rank));
            } else {
                drawn = Optional.of(Arrays.of(p, config.length(), (long) rank * rank));
            }
        }

        private void add(AdapterTensor tensor) {
            tensors.add(tensor.frozen().inPlaceOfBase());
        }

        /** {@code sqrt(S) V^T} and {@code U sqrt(S)}. */
        private float[][] factors(FrozenWeight weight) {
            int columns = weight.columns();
            SingularValues values = SingularValues.of(Arrays.doubles(weight.toFloats()), weight.rows(), columns, rank);
            double[] a = values.vt();
            double[] b = values.u();
            for (int i = 0; i < a.length; i++) {
                a[i] *= Math.sqrt(values.s()[i / columns]);
            }
            for (int i = 0; i < b.length; i++) {
                b[i] *= Math.sqrt(values.s()[i % rank]);
            }
            return new float[][] {Arrays.floats(a), Arrays.floats(b)};
        }

        Variable a(Tape tape) {
            return tape.constant(tensors.get(0).parameter().value());
        }

        Variable b(Tape tape) {
            return tape.constant(tensors.get(1).parameter().value());
        }

        /** R [r, r]. */
        Variable mixture(Tape tape) {
            int u = Math.toIntExact(v.parameter().length());
            INDArray p = drawn.orElseGet(() -> Arrays.reshaped(tensors.get(2).parameter().value(), u,
                    (long) rank * rank));
            Variable row = SmallOps.matrix(tape, tape.parameter(v.parameter()), u);
            return SmallOps.matrix(tape, MatrixOps.product(tape, row, false, tape.constant(p), false), rank);
        }

        List<AdapterTensor> tensors() {
            return tensors;
        }

        @Override
        public void close() {
            drawn.ifPresent(INDArray::close);
        }
    }

    /**
     * TinyLoRA on a linear layer (<a href="https://arxiv.org/abs/2602.04118">2602.04118</a>): {@code y = base(x) +
     * dropout(x) A^T R^T B^T}, R the sum of v_i P_i: {@code tinylora_A} [r, in], {@code tinylora_B} [out, r] and {@code
     * tinylora_P} [u, r, r] are not trained, v [u] belongs to a group of layers.
     */
    private static final class TinyLoraLayer extends ChangeLayer {
        private final Directions directions;

        TinyLoraLayer(AdapterSetup setup, Slot slot, TinyLoraConfig config, Directions directions) {
            super(setup, slot, config.dropout());
            this.directions = directions;
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable h = MatrixOps.product(tape, kept, false, directions.a(tape), true);
            return MatrixOps.product(tape, MatrixOps.product(tape, h, false, directions.mixture(tape), true), false,
                    directions.b(tape), true);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return directions.tensors();
        }
    }

    /**
     * TinyLoRA on an embedding: {@code y = base + B[tokens] R A}: {@code tinylora_A} [r, H], {@code tinylora_B} [V, r].
     */
    private static final class TinyLoraEmbedding extends EmbeddingChange {
        private final Directions directions;

        TinyLoraEmbedding(AdapterSetup setup, Slot slot, Directions directions) {
            super(setup, slot);
            this.directions = directions;
        }

        @Override
        Variable change(Tape tape, int[] ids) {
            Variable h = RowOps.trainedEmbedding(tape, directions.b(tape), ids, OptionalInt.empty(), DataType.FLOAT);
            return MatrixOps.product(tape, MatrixOps.product(tape, h, false, directions.mixture(tape), false), false,
                    directions.a(tape), false);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return directions.tensors();
        }
    }
}
