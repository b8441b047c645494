package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.DenseMath;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
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
import io.peft4j.core.safetensors.TensorData;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** FRoD; {@link FrodConfig} says what it computes. */
@Internal
public final class FrodMethod extends ConfiguredMethod<FrodConfig> {
    @Override
    protected Adapter adapter(FrodConfig config, AdapterSetup setup) {
        Targets targets = Targets.of(config.placement(), setup);
        FrodConfig stored = targets.named(config.toBuilder()
                .fanInFanOut(targets.areStoredTransposed(config.fanInFanOut())).build());
        Map<String, List<Slot>> kinds = new TreeMap<>();
        targets.slots().forEach(slot -> kinds.computeIfAbsent(kind(slot.path()), k -> new ArrayList<>()).add(slot));
        Map<String, Directions> directions = new HashMap<>();
        TorchRandom random = new TorchRandom(config.projectionSeed());
        kinds.forEach((kind, slots) -> directions.put(kind, new Directions(setup, config, kind, slots, random)));
        List<INDArray> fixed = new ArrayList<>();
        List<AdapterLayer> layers = targets.layers(
                slot -> new FrodLayer(setup, slot, config, directions.get(kind(slot.path())), fixed));
        Map<String, TensorData> places = new HashMap<>();
        directions.values().forEach(each -> places.putAll(each.places()));
        return new LayeredAdapter(stored, layers, directions.values().stream().map(each -> each.v).toList(), places,
                () -> fixed.forEach(INDArray::close));
    }

    /** What layers that share their directions are called: the last parts of their paths. */
    static String kind(String path) {
        String[] parts = path.split("\\.");
        int last = parts.length - 1;
        if (last == 0 || parts[last - 1].matches("\\d+")) {
            return parts[last];
        }
        String kind = parts[last - 1] + "_" + parts[last];
        return kind.equals("output_dense") && last > 1 && parts[last - 2].equals("attention") ? "attention_output"
                : kind;
    }

    /** V and the places of S of one kind of layers. */
    private static final class Directions {
        private final String kind;
        private final int in;
        private final AdapterTensor v;
        private final int[] rows;
        private final int[] columns;
        /** V^-T in double, where V is as it should be. */
        private final double[] inverse;

        Directions(AdapterSetup setup, FrodConfig config, String kind, List<Slot> slots, TorchRandom random) {
            this.kind = kind;
            this.in = ((Linear) slots.get(0).layer()).inFeatures();
            this.v = setup.sharedTensor("base_model.frod_V." + kind, (values, any) -> {
                float[] all = Arrays.floats(common(slots, in, config.regularization()));
                Arrays.write(values, 0, all, 0, all.length);
            }, in, in).frozen().inPlaceOfBase();
            int beside = in * (in - 1);
            int count = (int) Math.min((long) ((double) in * in * config.sparseRate()), beside);
            count = config.sparseRate() > 0 && beside > 0 ? Math.max(1, count) : count;
            int[] drawn = count == 0 ? new int[0]
                    : java.util.Arrays.copyOf(random.permutation(beside, beside), count);
            if (setup.isRestoring()) {
                int[] both = setup.storedIntegers("base_model.frod_s_indices." + kind, new int[] {in, in}, 2, count);
                setup.storedIntegers("base_model.frod_s_size." + kind, new int[] {in + 1}, 2);
                this.rows = java.util.Arrays.copyOf(both, both.length / 2);
                this.columns = java.util.Arrays.copyOfRange(both, both.length / 2, both.length);
            } else {
                // Row by row without the diagonal.
                this.rows = IntStream.of(drawn).map(i -> i / (in - 1)).toArray();
                this.columns = IntStream.of(drawn).map(i -> i % (in - 1) + (i % (in - 1) >= i / (in - 1) ? 1 : 0))
                        .toArray();
            }
            this.inverse = setup.fits() ? inverse() : new double[0];
        }

        /** {@code V^-T = V (V^T V)^-1}. */
        private double[] inverse() {
            double[] values = Arrays.doubles(Arrays.toFloats(v.parameter().value()));
            double[] gram = new double[in * in];
            DenseMath.addGram(values, in, in, 1, gram);
            try {
                return DenseMath.divide(values, in, gram, in);
            } catch (ArithmeticException e) {
                throw new ConfigurationException(v.name() + " has no inverse; the adapter is damaged", e);
            }
        }

        /**
         * V: with G the sum of the layers' {@code W^T W = P D P^T}, P sqrt(D) times the eigenvectors of the mean over
         * the layers of {@code (Q^T Q + regularization)^-1}, {@code Q = W P / sqrt(D)}; P itself where the weights have
         * fewer rows than columns.
         */
        private static double[] common(List<Slot> slots, int in, double regularization) {
            double[] gram = new double[in * in];
            int height = 0;
            for (Slot slot : slots) {
                Linear linear = (Linear) slot.layer();
                height += linear.outFeatures();
                DenseMath.addGram(Arrays.doubles(linear.weight().toFloats()), linear.outFeatures(), in, 1, gram);
            }
            double[] sizes = new double[in];
            double[] p = DenseMath.eigenvectors(gram, in, in, sizes);
            if (height < in) {
                return transposed(p, in);
            }
            double[] scaled = p.clone();
            double[] left = p.clone();
            for (int i = 0; i < p.length; i++) {
                double root = Math.sqrt(Math.max(sizes[i / in], 1e-12 * sizes[in - 1]));
                scaled[i] /= root;
                left[i] *= root;
            }
            double[] identity = new double[in * in];
            for (int i = 0; i < in; i++) {
                identity[i * in + i] = 1;
            }
            double[] mean = new double[in * in];
            for (Slot slot : slots) {
                Linear linear = (Linear) slot.layer();
                double[] q = DenseMath.productTransposed(Arrays.doubles(linear.weight().toFloats()),
                        linear.outFeatures(), in, scaled, in);
                double[] own = new double[in * in];
                DenseMath.addGram(q, linear.outFeatures(), in, 1, own);
                for (int i = 0; i < in; i++) {
                    own[i * in + i] += regularization;
                }
                double[] inverted = DenseMath.divide(identity.clone(), in, own, in);
                for (int i = 0; i < mean.length; i++) {
                    mean[i] += inverted[i] / slots.size();
                }
            }
            double[] vectors = DenseMath.eigenvectors(mean, in, in, sizes);
            return DenseMath.productTransposed(transposed(left, in), in, in, vectors, in);
        }

        private static double[] transposed(double[] a, int n) {
            return Cayley.transposed(a, n);
        }

        Map<String, TensorData> places() {
            int[] both = java.util.Arrays.copyOf(rows, rows.length + columns.length);
            System.arraycopy(columns, 0, both, rows.length, columns.length);
            return Map.of("base_model.frod_s_indices." + kind,
                    TensorData.i64(new long[] {2, rows.length}, both), "base_model.frod_s_size." + kind,
                    TensorData.i64(new long[] {2}, new int[] {in, in}));
        }
    }

    /**
     * FRoD on a linear layer (<a href="https://doi.org/10.1609/aaai.v40i31.39813">10.1609/aaai.v40i31.39813</a>):
     * {@code y = base(x) + dropout(x) (U (S + diag(l)) V^T - W)^T}: {@code frod_lambda_l} l [in], {@code
     * frod_lambda_s_values} the elements of S, at places that the layers of one kind share with V [in, in]; U [out, in]
     * are the columns of {@code W V^-T}, brought to length 1.
     */
    private static final class FrodLayer extends ChangeLayer {
        private final Directions directions;
        private final AdapterTensor diagonal;
        private final AdapterTensor values;
        private final INDArray u;
        private final ScatteredDelta sparse;
        private final ScatteredDelta onDiagonal;

        FrodLayer(AdapterSetup setup, Slot slot, FrodConfig config, Directions directions, List<INDArray> fixed) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            this.directions = directions;
            double[] scaled = directions.inverse.length == 0 ? new double[out * in] : DenseMath.product(
                    Arrays.doubles(linear().weight().toFloats()), out, in, directions.inverse, in);
            float[] lengths = new float[in];
            for (int j = 0; j < in; j++) {
                double sum = 0;
                for (int i = 0; i < out; i++) {
                    sum += scaled[i * in + j] * scaled[i * in + j];
                }
                double length = Math.sqrt(sum);
                lengths[j] = (float) length;
                for (int i = 0; i < out; i++) {
                    scaled[i * in + j] = length > 1e-12 ? scaled[i * in + j] / length : 0;
                }
            }
            this.u = Arrays.of(Arrays.floats(scaled), out, in);
            fixed.add(u);
            boolean random = !config.initWeights();
            this.diagonal = setup.tensor(slot, "frod_lambda_l", (target, source) -> {
                float[] start = lengths.clone();
                for (int i = 0; i < start.length && random; i++) {
                    start[i] += (float) (0.1 * source.nextGaussian());
                }
                Arrays.write(target, 0, start, 0, start.length);
            }, in);
            int[] rows = directions.rows;
            int[] columns = directions.columns;
            this.values = setup.tensor(slot, "frod_lambda_s_values", random ? Initializer.normal(0.1)
                    : Initializer.ZEROS, rows.length);
            this.sparse = new ScatteredDelta(in, in, rows.length, i -> rows[i] * in + columns[i], i -> i, 1);
            this.onDiagonal = new ScatteredDelta(in, in, in, i -> i * in + i, i -> i, 1);
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable middle = ElementwiseOps.add(tape, sparse.on(tape, tape.parameter(values.parameter())),
                    onDiagonal.on(tape, tape.parameter(diagonal.parameter())));
            Variable h = MatrixOps.product(tape, kept, false, tape.constant(directions.v.parameter().value()), false);
            Variable y = MatrixOps.product(tape, MatrixOps.product(tape, h, false, middle, true), false,
                    tape.constant(u), true);
            Variable before = MatrixOps.product(tape, kept, false, MatrixOps.values(tape, linear().weight()), true);
            return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, before, -1), y);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(diagonal, values);
        }
    }
}
