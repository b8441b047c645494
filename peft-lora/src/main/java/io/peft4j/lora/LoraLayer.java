package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.lora.init.LoraStart;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA on a linear layer (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>):
 * {@code y = base(x) + s * ((dropout(x) A^T) B^T + b)}: x [N, in], y [N, out], A [r, in], B [out, r], and b [out] where
 * {@code lora_bias} is on. {@code r * (in + out)} parameters, {@code out} more with b.
 *
 * <p>Where a part {@code s * B0 A0} of the base weight belongs to the adapter ({@link LoraInit}), A and B have A0
 * [r, in] and -B0 [out, r] beside them, frozen.
 *
 * <p>Where a quantized weight belongs to the adapter, it replaces W.
 *
 * <p>Merged: {@code W + s * B A}, less {@code s * B0 A0}.
 */
final class LoraLayer extends AbstractAdapterLayer {
    private final float dropout;
    private final double scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final Optional<AdapterTensor> bias;
    private final Optional<LoraVariant> variant;
    /** A0 and -B0. */
    private final Optional<Frozen> frozen;

    /** The layer with the weight that replaces the base's. */
    private final Optional<Linear> quantized;

    private record Frozen(INDArray a, INDArray b) {
    }

    /**
     * Made at a place.
     *
     * @param together first values that belong together; empty if each is drawn on its own
     */
    LoraLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling,
            Optional<LoraStart> together) {
        super(slot);
        Linear linear = linear();
        int in = linear.inFeatures();
        int out = linear.outFeatures();
        LoraInit start = config.initialization();
        this.dropout = (float) config.dropout();
        this.scaling = scaling;
        this.a = setup.tensor(slot, "lora_A.weight", together.map(values -> Initializer.values(values.a()))
                .orElseGet(() -> start.a(rank, in)), rank, in);
        AdapterTensor right = setup.tensor(slot, "lora_B.weight", together.map(values -> Initializer.values(values.b()))
                .orElseGet(() -> start.b(rank)), out, rank);
        this.b = start.freezesB() ? right.frozen() : right;
        this.variant = config.velora().<LoraVariant>map(velora -> new VeloraVariant(setup, slot, velora, in))
                .or(() -> config.monteclora().map(monteclora -> new MontecloraVariant(setup, slot, monteclora, rank)));
        this.frozen = together.filter(LoraStart::partOfBase).map(values -> new Frozen(
                Arrays.of(values.a(), rank, in), Arrays.of(negated(values.b()), out, rank)));
        this.quantized = together.filter(values -> values.weight().length > 0)
                .map(values -> new Linear(new DenseWeight(Arrays.of(values.weight(), out, in)), linear.bias()));
        this.bias = config.loraBias() ? Optional.of(setup.tensor(slot, "lora_B.bias", start.b(rank), out))
                : Optional.empty();
    }

    private static float[] negated(float[] values) {
        float[] result = values.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] = -result[i];
        }
        return result;
    }

    /** A above A0 and B beside -B0: plain LoRA of twice the rank, by the keys of a file. */
    Map<String, TensorData> converted() {
        if (frozen.isEmpty()) {
            return Map.of();
        }
        long rank = a.parameter().value().size(0);
        long in = a.parameter().value().size(1);
        long out = b.parameter().value().size(0);
        float[] rows = new float[Math.toIntExact(2 * rank * in)];
        Arrays.read(a.parameter().value(), 0, rows, 0, rows.length / 2);
        Arrays.read(frozen.get().a(), 0, rows, rows.length / 2, rows.length / 2);
        float[] columns = new float[Math.toIntExact(2 * rank * out)];
        for (int i = 0; i < out; i++) {
            Arrays.read(b.parameter().value(), i * rank, columns, (int) (2 * i * rank), (int) rank);
            Arrays.read(frozen.get().b(), i * rank, columns, (int) ((2 * i + 1) * rank), (int) rank);
        }
        return Map.of(a.parameter().name(), TensorData.f32(new long[] {2 * rank, in}, rows),
                b.parameter().name(), TensorData.f32(new long[] {out, 2 * rank}, columns));
    }

    /** A0 and B0, and the quantized weight: what is held beside the tensors. */
    Stream<INDArray> start() {
        return Stream.concat(quantized.stream().map(layer -> ((DenseWeight) layer.weight()).values()),
                frozen.stream().flatMap(start -> Stream.of(start.a(), start.b())));
    }

    /** A [r, in]. */
    public Parameter a() {
        return a.parameter();
    }

    /** B [out, r]. */
    public Parameter b() {
        return b.parameter();
    }

    /** What it does in another way in training. */
    Optional<LoraVariant> variant() {
        return variant;
    }

    /** Whether B is trained. */
    public boolean trainsB() {
        return b.isTrainable();
    }

    /** s. */
    public double scaling() {
        return scaling;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = updated(context, x, quantized.isPresent() ? quantized.get() : base);
        return bias.isEmpty() ? y
                : MatrixOps.addBias(context.tape(), y, scaledBias(context.tape()).orElseThrow());
    }

    /** {@code base(x) + s * (dropout(x) A^T) B^T}; where nothing is dropped, both read the same x, at once. */
    private Variable updated(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        if (base instanceof Linear linear && !(context.isTraining() && hasDropout())) {
            return linear.forwardWithLowRank(context, x, left(tape), right(tape), (float) scaling);
        }
        Variable y = base.forward(context, x);
        Variable input = dropped(context, x);
        if (variant.isEmpty() || !context.isTraining()) {
            return MatrixOps.addLowRank(tape, y, input, left(tape), right(tape), (float) scaling);
        }
        Variable h = ElementwiseOps.scale(tape, variant.get().down(context, input, left(tape)), (float) scaling);
        return ElementwiseOps.addInto(tape, MatrixOps.product(tape, h, false, right(tape), true), y);
    }

    /** A, above A0 if there is one. */
    private Variable left(Tape tape) {
        Variable left = tape.parameter(a.parameter());
        return frozen.isEmpty() ? left : Stacking.rows(tape, left, frozen.get().a());
    }

    /** B, beside -B0 if there is one. */
    private Variable right(Tape tape) {
        Variable right = b.isTrainable() ? tape.parameter(b.parameter()) : tape.constant(b.parameter().value());
        return frozen.isEmpty() ? right : Stacking.columns(tape, right, frozen.get().b());
    }

    /** x, in training with some of its elements dropped. */
    Variable dropped(ForwardContext context, Variable x) {
        return dropout(context, x, dropout);
    }

    /** s b, if there is a b. */
    Optional<Variable> scaledBias(Tape tape) {
        return bias.map(tensor -> ElementwiseOps.scale(tape, tape.parameter(tensor.parameter()), (float) scaling));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return Stream.of(Stream.of(a, b), bias.stream(), variant.stream().flatMap(own -> own.tensors().stream()))
                .flatMap(all -> all).toList();
    }

    @Override
    public Optional<LowRankUpdate> lowRankUpdate() {
        return bias.isPresent() || frozen.isPresent() || quantized.isPresent() ? Optional.empty()
                : Optional.of(new LowRankUpdate(a, b, scaling, false));
    }

    /** A quantized weight is what others stand on. */
    @Override
    public boolean replacesBase() {
        return quantized.isPresent();
    }

    @Override
    public boolean averagesInTraining() {
        return variant.filter(LoraVariant::averages).isPresent();
    }

    /** A variant does something else in training, too. */
    @Override
    public boolean hasDropout() {
        return dropout > 0 || variant.isPresent();
    }

    @Override
    public Optional<String> mergeObstacle() {
        return bias.isPresent() && linear().bias().isEmpty()
                ? Optional.of("lora_bias is on and the base layer has no bias to take it") : Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        quantized.ifPresent(layer -> copy.setWeight(((DenseWeight) layer.weight()).values()));
        LowRank.add(copy.weight(), b.parameter().value(), a.parameter().value(), scaling);
        frozen.ifPresent(start -> LowRank.add(copy.weight(), start.b(), start.a(), scaling));
        bias.ifPresent(trained -> {
            float[] sum = Arrays.toFloats(copy.bias().orElseThrow());
            float[] change = Arrays.toFloats(trained.parameter().value());
            for (int i = 0; i < sum.length; i++) {
                sum[i] = (float) (sum[i] + scaling * change[i]);
            }
            Arrays.write(copy.bias().orElseThrow(), 0, sum, 0, sum.length);
        });
    }

    /** Trained matrices with frozen ones beside them, on a tape. */
    private static final class Stacking {
        private Stacking() {
        }

        /** x [m, k] with frozen rows below it: [m + n, k]. */
        static Variable rows(Tape tape, Variable x, INDArray below) {
            int k = x.columns();
            int length = x.rows() * k;
            INDArray result = tape.allocateFloat(x.rows() + below.size(0), k);
            copy(x.value(), 0, result, 0, length);
            copy(below, 0, result, length, Math.toIntExact(below.length()));
            return tape.record(result, (out, dy) -> x.addGradient((dx, accumulate) -> {
                float[] gradient = new float[length];
                Arrays.read(dy, 0, gradient, 0, length);
                HeapRows.write(dx, gradient, accumulate);
            }), List.of(x));
        }

        /** x [m, k] with frozen columns to its right: [m, k + n]. */
        static Variable columns(Tape tape, Variable x, INDArray right) {
            int m = x.rows();
            int k = x.columns();
            int n = Arrays.columns(right);
            INDArray result = tape.allocateFloat(m, k + n);
            for (int i = 0; i < m; i++) {
                copy(x.value(), i * k, result, i * (k + n), k);
                copy(right, i * n, result, i * (k + n) + k, n);
            }
            return tape.record(result, (out, dy) -> x.addGradient((dx, accumulate) -> {
                float[] gradient = new float[m * k];
                for (int i = 0; i < m; i++) {
                    Arrays.read(dy, (long) i * (k + n), gradient, i * k, k);
                }
                HeapRows.write(dx, gradient, accumulate);
            }), List.of(x));
        }

        private static void copy(INDArray from, int first, INDArray to, int target, int count) {
            float[] values = new float[count];
            Arrays.read(from, first, values, 0, count);
            Arrays.write(to, target, values, 0, count);
        }
    }

    /**
     * VeLoRA in a layer; {@link Velora} has the formula. {@code lora_velora_embed} e [d] is stored and not trained.
     * With {@code c = (x_g . e)} [N, G] of the groups of x, {@code dA} has the groups {@code scale * (dh^T c)_g e}.
     */
    private static final class VeloraVariant implements LoraVariant {
        private final Velora config;
        private final AdapterTensor direction;
        private final int length;
        /** Whether e is fixed. */
        private boolean chosen;

        VeloraVariant(AdapterSetup setup, Slot slot, Velora config, int in) {
            this.config = config;
            this.length = (in + config.groups() - 1) / config.groups();
            this.direction = setup.tensor(slot, "lora_velora_embed", config.direction() == Velora.Direction.RANDOM
                    ? Initializer.normal(1).then(drawn -> unit(Arrays.doubles(drawn))) : Initializer.ZEROS, length)
                    .frozen().inPlaceOfBase();
        }

        /** Brought to length 1; of zeros all are the same. */
        private static float[] unit(double[] values) {
            double squares = 0;
            for (double value : values) {
                squares += value * value;
            }
            float[] result = new float[values.length];
            for (int i = 0; i < result.length; i++) {
                result[i] = (float) (squares == 0 ? 1 / Math.sqrt(values.length) : values[i] / Math.sqrt(squares));
            }
            return result;
        }

        @Override
        public boolean averages() {
            return config.direction() != Velora.Direction.RANDOM;
        }

        @Override
        public void begin(boolean goesOn) {
            chosen = goesOn || config.direction() == Velora.Direction.RANDOM;
        }

        @Override
        public Variable down(ForwardContext context, Variable x, Variable a) {
            Tape tape = context.tape();
            Kernels kernels = tape.kernels();
            if (!chosen || config.direction() == Velora.Direction.AVERAGE) {
                average(x.value());
            }
            float[] e = Arrays.toFloats(direction.parameter().value());
            INDArray h = tape.allocateFloat(x.rows(), a.rows());
            kernels.matmul(x.value(), false, a.value(), true, h, 1f, false);
            INDArray compressed = tape.allocateFloat(x.rows(), config.groups());
            compress(x.value(), e, compressed);
            return tape.record(h, (out, dh) -> {
                x.addGradient((dx, accumulate) -> kernels.matmul(dh, false, a.value(), false, dx, 1f, accumulate));
                a.addGradient((da, accumulate) -> {
                    INDArray groups = tape.allocateFloat(a.rows(), config.groups());
                    kernels.matmul(dh, true, compressed, false, groups, (float) config.scale(), false);
                    HeapRows.write(da, expanded(Arrays.toFloats(groups), e, a.columns()), accumulate);
                    tape.arena().free(groups);
                });
            }, List.of(x, a), compressed);
        }

        /** Takes e from the groups of all rows. */
        private void average(INDArray x) {
            int in = Arrays.columns(x);
            double[][] sums = new double[HeapRows.pieces(Arrays.rows(x))][length];
            HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
                float[] values = HeapRows.read(x, from, count);
                for (int i = 0; i < values.length; i++) {
                    sums[piece][i % in % length] += values[i];
                }
            });
            Arrays.write(direction.parameter().value(), 0, unit(HeapRows.sum(sums, length)), 0, length);
            chosen = true;
        }

        private void compress(INDArray x, float[] e, INDArray compressed) {
            int in = Arrays.columns(x);
            int groups = config.groups();
            HeapRows.forPieces(Arrays.rows(x), (piece, from, count) -> {
                float[] values = HeapRows.read(x, from, count);
                float[] products = new float[count * groups];
                for (int i = 0; i < values.length; i++) {
                    products[i / in * groups + i % in / length] += values[i] * e[i % in % length];
                }
                HeapRows.write(compressed, from, products, false);
            });
        }

        /** From [r, G] to [r, in]. */
        private float[] expanded(float[] groups, float[] e, int in) {
            float[] gradient = new float[groups.length / config.groups() * in];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = groups[i / in * config.groups() + i % in / length] * e[i % in % length];
            }
            return gradient;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(direction);
        }
    }
}
