package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.methods.GloraConfig.Form;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** GLoRA; {@link GloraConfig} says what it computes. */
@Internal
public final class GloraMethod extends ConfiguredMethod<GloraConfig> {
    @Override
    protected Adapter adapter(GloraConfig config, AdapterSetup setup) {
        Map<String, TensorData> zeros = new HashMap<>();
        Adapter layers = Targets.of(config.placement(), setup).adapter(config,
                slot -> new GloraLayer(setup, slot, config, zeros));
        return new LayeredAdapter(layers.config(), layers.layers(), List.of(), zeros, () -> {
        });
    }

    /** A matrix [rows, columns] of a form; without tensors it is zero. */
    private record Path(List<AdapterTensor> tensors, int rows, int columns) {
        static Path of(AdapterSetup setup, Slot slot, String name, Form form, GloraConfig config, int rows,
                int columns) {
            boolean zero = config.initWeights();
            return new Path(switch (form) {
                case LORA -> List.of(
                        setup.tensor(slot, name + ".Xd", zero ? Initializer.ZEROS : Initializer.linear(config.rank()),
                                rows, config.rank()),
                        setup.tensor(slot, name + ".Xu", Initializer.linear(columns), config.rank(), columns));
                // The values of D and E stand in a row.
                case VECTOR -> List.of(setup.tensor(slot, name + ".X", zero ? Initializer.ZEROS
                        : Initializer.linear(columns == 0 ? rows : 1),
                        columns == 0 ? new long[] {rows}
                                : new long[] {rows, 1}));
                case CONSTANT -> List.of(setup.tensor(slot, name + ".X", zero ? Initializer.ZEROS
                        : Initializer.normal(0.02), 1));
                case NONE -> List.of();
            }, rows, Math.max(1, columns));
        }

        Optional<Variable> on(Tape tape) {
            if (tensors.isEmpty()) {
                return Optional.empty();
            }
            Variable first = tape.parameter(tensors.get(0).parameter());
            if (tensors.size() == 2) {
                return Optional.of(MatrixOps.product(tape, first, false,
                        tape.parameter(tensors.get(1).parameter()), false));
            }
            int repeated = Math.toIntExact((long) rows * columns / first.value().length());
            return Optional.of(new ScatteredDelta(rows, columns, rows * columns, i -> i, i -> i / repeated, 1)
                    .on(tape, first));
        }
    }

    /**
     * GLoRA on a linear layer (<a href="https://arxiv.org/abs/2306.07967">2306.07967</a>): {@code y = base(x) + x (W *
     * A + B)^T}, and with a bias b of the base {@code + b * D + E + W C}. {@code glora_A} and {@code glora_B} [out,
     * in], {@code glora_C} [in, 1], {@code glora_D} and {@code glora_E} [out], each as {@code Xd} [rows, r] and
     * {@code Xu} [r, columns], {@code X} [rows, 1] or [1], or not trained and as {@code zeros} in the file.
     *
     * <p>The change depends on weight and bias of the base alone, not on those of other adapters.
     */
    private static final class GloraLayer extends ChangeLayer {
        private final Path a;
        private final Path b;
        private final Path c;
        private final Path d;
        private final Path e;
        /** The bias, where it is trained. */
        private Optional<AdapterTensor> trainedBias = Optional.empty();

        GloraLayer(AdapterSetup setup, Slot slot, GloraConfig config, Map<String, TensorData> zeros) {
            super(setup, slot, 0);
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            boolean biased = linear().bias().isPresent();
            Form coupling = biased ? config.couplingForm() : Form.NONE;
            Form bias = biased ? config.biasForm() : Form.NONE;
            this.a = Path.of(setup, slot, "glora_A", config.weightForm(), config, out, in);
            this.b = Path.of(setup, slot, "glora_B", config.weightForm(), config, out, in);
            this.c = Path.of(setup, slot, "glora_C", coupling, config, in, 1);
            this.d = Path.of(setup, slot, "glora_D", bias, config, out, 0);
            this.e = Path.of(setup, slot, "glora_E", bias, config, out, 0);
            if (config.weightForm() == Form.NONE) {
                addZeros(setup, zeros, List.of("glora_A", "glora_B"), out, in);
            }
            if (coupling == Form.NONE) {
                addZeros(setup, zeros, List.of("glora_C"), in, 1);
            }
            if (bias == Form.NONE) {
                addZeros(setup, zeros, List.of("glora_D", "glora_E"), out);
            }
        }

        private void addZeros(AdapterSetup setup, Map<String, TensorData> zeros, List<String> names, long... shape) {
            int length = Math.toIntExact(LongStream.of(shape).reduce(1, Math::multiplyExact));
            names.forEach(name -> zeros.put(setup.idleTensor(slot(), name + ".zeros", shape),
                    TensorData.f32(shape, new float[length])));
        }

        @Override
        public void useBias(AdapterTensor bias) {
            trainedBias = Optional.of(bias);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            if (a.tensors().isEmpty()) {
                INDArray nothing = tape.allocateFloat(x.rows(), linear().outFeatures());
                Arrays.clear(nothing);
                return tape.record(nothing, (out, dy) -> {
                }, List.of());
            }
            Variable scaled = ElementwiseOps.multiply(tape, a.on(tape).orElseThrow(),
                    MatrixOps.values(tape, linear().weight()));
            return MatrixOps.matmulTransposed(tape, kept,
                    ElementwiseOps.add(tape, scaled, b.on(tape).orElseThrow()));
        }

        @Override
        protected Optional<Variable> offset(Tape tape) {
            Optional<Variable> coupled = c.on(tape).map(column -> MatrixOps.product(tape,
                    MatrixOps.values(tape, linear().weight()), false, column, false));
            Optional<Variable> own = d.on(tape).map(factors -> ElementwiseOps.add(tape, e.on(tape).orElseThrow(),
                    ElementwiseOps.multiply(tape, factors, bias(tape))));
            return Stream.of(coupled, own).flatMap(Optional::stream)
                    .reduce((one, other) -> ElementwiseOps.add(tape, one, other));
        }

        private Variable bias(Tape tape) {
            return SmallOps.matrix(tape, trainedBias.map(bias -> tape.parameter(bias.parameter()))
                    .orElseGet(() -> tape.constant(linear().bias().orElseThrow())), 1);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return Stream.of(a, b, c, d, e).flatMap(path -> path.tensors().stream()).toList();
        }
    }
}
