package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** RandLoRA; {@link RandLoraConfig} says what it computes. */
@Internal
public final class RandLoraMethod extends ConfiguredMethod<RandLoraConfig> {
    @Override
    protected Adapter adapter(RandLoraConfig config, AdapterSetup setup) {
        SharedMatrices.requireSaved(config.saveProjection(), "RandLoRA");
        Targets targets = Targets.of(config.placement(), setup);
        SharedMatrices.Sizes sizes = SharedMatrices.Sizes.of(targets.slots());
        int min = Math.min(sizes.in(), sizes.out());
        int rank = config.rank();
        int bases = RandLoraLayer.bases(min, rank);
        AdapterTensor a = setup.sharedTensor("base_model.randlora_A", start(config, min, min), rank, 1, min);
        AdapterTensor b = setup.sharedTensor("base_model.randlora_B", start(config, min, rank),
                Math.max(sizes.in(), sizes.out()), bases, rank);
        SharedMatrices matrices = new SharedMatrices(List.of(a.frozen().inPlaceOfBase(), b.frozen().inPlaceOfBase()));
        List<AdapterLayer> layers = targets.layers(slot -> new RandLoraLayer(setup, slot, config, matrices, bases));
        return matrices.adapter(targets.named(config), layers, repeated(setup, layers, a.fileShape(), b.fileShape()));
    }

    /** PEFT stores both matrices once more with each layer. */
    private static Map<String, Integer> repeated(AdapterSetup setup, List<AdapterLayer> layers, long[] a, long[] b) {
        Map<String, Integer> keys = new LinkedHashMap<>();
        for (AdapterLayer layer : layers) {
            if (layer instanceof RandLoraLayer) {
                keys.put(setup.idleTensor(layer.slot(), "randlora_A", a), 0);
                keys.put(setup.idleTensor(layer.slot(), "randlora_B", b), 1);
            }
        }
        return keys;
    }

    /** Divided by their standard deviation. */
    private static Initializer start(RandLoraConfig config, int min, int inputs) {
        boolean sparse = config.sparse() || config.verySparse();
        Initializer start = sparse ? signs(config.verySparse() ? Math.sqrt(min) : 3) : Initializer.linear(inputs);
        return start.then(RandLoraMethod::standardized);
    }

    /** -1, 0 and 1, each sign with probability {@code 1 / (2 * sparsity)}. */
    private static Initializer signs(double sparsity) {
        double probability = 1 / (2 * sparsity);
        return (values, random) -> {
            float[] all = new float[Math.toIntExact(values.length())];
            for (int i = 0; i < all.length; i++) {
                double u = random.nextDouble();
                all[i] = u < probability ? -1 : u > 1 - probability ? 1 : 0;
            }
            // A small matrix may have come out as zeros; what has no deviation would carry no signal.
            all[0] = all[0] == 0 ? 1 : all[0];
            Arrays.write(values, 0, all, 0, all.length);
        };
    }

    private static float[] standardized(float[] all) {
        double mean = 0;
        for (float value : all) {
            mean += value;
        }
        mean /= all.length;
        double squares = 0;
        for (float value : all) {
            squares += (value - mean) * (value - mean);
        }
        double deviation = Math.sqrt(squares / Math.max(1, all.length - 1));
        for (int i = 0; i < all.length && deviation > 0; i++) {
            all[i] = (float) (all[i] / deviation);
        }
        return all;
    }

    /**
     * RandLoRA on a linear layer (<a href="https://arxiv.org/abs/2502.00987">2502.00987</a>). With min and max of in
     * and out, {@code n = ceil(min / r)}, U [r n, min] the {@link ScaledBases} of the shared A, and B [max, n r] cut
     * out of the shared matrix, {@code s = alpha / r}: {@code y = base(x) + s * (dropout(x) U^T) B^T} where in is not
     * larger than out, and {@code s * (dropout(x) B) U} where it is. lambda [r, n] and gamma [n, min] are trained:
     * {@code n * (r + min)}.
     *
     * <p>Merged: {@code W + s B U}, or {@code W + s (B U)^T}.
     */
    private static final class RandLoraLayer extends ProjectedLayer {
        private final SharedMatrices matrices;
        private final Engine engine;
        private final int rank;
        private final int allBases;
        private final int bases;
        private final boolean narrowInput;
        private final int min;
        private final int max;
        private final float scaling;
        private final AdapterTensor lambda;
        private final AdapterTensor gamma;

        RandLoraLayer(AdapterSetup setup, Slot slot, RandLoraConfig config, SharedMatrices matrices, int allBases) {
            super(slot, config.dropout());
            Linear linear = linear();
            this.matrices = matrices;
            this.engine = setup.base().engine();
            this.rank = config.rank();
            this.allBases = allBases;
            this.min = Math.min(linear.inFeatures(), linear.outFeatures());
            this.max = Math.max(linear.inFeatures(), linear.outFeatures());
            this.narrowInput = linear.inFeatures() == min;
            this.bases = bases(min, rank);
            this.scaling = (float) (config.alpha() / rank);
            boolean identity = config.initWeights();
            this.lambda = setup.tensor(slot, "randlora_lambda", identity ? Initializer.ZEROS : Initializer.normal(1),
                    rank, bases);
            this.gamma = setup.tensor(slot, "randlora_gamma",
                    Initializer.constant(1.0 / (identity ? Math.max(bases, min) : max)), bases, min);
        }

        /** Products of rank r that are needed for a full rank of {@code size}. */
        static int bases(int size, int rank) {
            return (size + rank - 1) / rank;
        }

        private Variable bases(Tape tape) {
            return ScaledBases.of(tape, matrices.corner(0, rank, min), tape.parameter(lambda.parameter()),
                    tape.parameter(gamma.parameter()));
        }

        /** [max, n r] out of [largest max, all n, r]. */
        private INDArray sharedB() {
            return matrices.piece("B:" + max + "x" + bases, () -> {
                float[] all = matrices.values(1);
                float[] piece = new float[max * bases * rank];
                for (int i = 0; i < max; i++) {
                    System.arraycopy(all, i * allBases * rank, piece, i * bases * rank, bases * rank);
                }
                return Arrays.of(piece, max, (long) bases * rank);
            });
        }

        @Override
        Variable change(Tape tape, Variable x) {
            Variable u = bases(tape);
            Variable b = tape.constant(sharedB());
            Variable h = MatrixOps.product(tape, x, false, narrowInput ? u : b, narrowInput);
            Variable y = MatrixOps.product(tape, h, false, narrowInput ? b : u, narrowInput);
            return ElementwiseOps.scale(tape, y, scaling);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(lambda, gamma);
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            engine.onTape(tape -> {
                INDArray u = bases(tape).value();
                if (narrowInput) {
                    LowRank.add(copy.weight(), sharedB(), u, scaling);
                    return;
                }
                INDArray left = u.transpose().dup('c');
                INDArray right = sharedB().transpose().dup('c');
                LowRank.add(copy.weight(), left, right, scaling);
                left.close();
                right.close();
            });
        }

        /** RandLoRA's trained copies of one frozen matrix, on a tape. */
        private static final class ScaledBases {
            private ScaledBases() {
            }

            /**
             * {@code U[i n + j][m] = lambda[i][j] * a[i][m] * gamma[j][m]}: lambda [r, n], a [r, M], gamma [n, M], U [r
             * n, M]. Gradients: {@code dlambda[i][j] = sum over m of dU[i n + j][m] * a[i][m] * gamma[j][m]}, {@code
             * dgamma[j][m] = sum over i of dU[i n + j][m] * a[i][m] * lambda[i][j]}.
             */
            static Variable of(Tape tape, INDArray a, Variable lambda, Variable gamma) {
                Consumer<INDArray> forward = result -> compute(a, lambda.value(), gamma.value(), result);
                INDArray result = tape.allocateFloat(lambda.value().length(), a.size(1));
                forward.accept(result);
                return tape.recordRecomputable(result, forward, (out, dy) -> {
                    lambda.addGradient((dl, accumulate) -> gradientOfLambda(dy, a, gamma.value(), dl, accumulate));
                    gamma.addGradient((dg, accumulate) -> gradientOfGamma(dy, a, lambda.value(), dg, accumulate));
                }, List.of(lambda, gamma));
            }

            private static void compute(INDArray a, INDArray lambda, INDArray gamma, INDArray result) {
                float[] as = Arrays.toFloats(a);
                float[] ls = Arrays.toFloats(lambda);
                float[] gs = Arrays.toFloats(gamma);
                int bases = Arrays.columns(lambda);
                int width = Arrays.columns(a);
                IntStream.range(0, ls.length).parallel().forEach(row -> {
                    float[] values = new float[width];
                    int i = row / bases;
                    int j = row % bases;
                    for (int m = 0; m < width; m++) {
                        values[m] = ls[row] * as[i * width + m] * gs[j * width + m];
                    }
                    Arrays.write(result, (long) row * width, values, 0, width);
                });
            }

            private static void gradientOfLambda(INDArray dy, INDArray a, INDArray gamma, INDArray dl,
                    boolean accumulate) {
                float[] as = Arrays.toFloats(a);
                float[] gs = Arrays.toFloats(gamma);
                double[] result = new double[(int) dl.length()];
                int bases = Arrays.columns(dl);
                int width = Arrays.columns(a);
                IntStream.range(0, result.length).parallel().forEach(row -> {
                    float[] values = new float[width];
                    Arrays.read(dy, (long) row * width, values, 0, width);
                    int i = row / bases;
                    int j = row % bases;
                    for (int m = 0; m < width; m++) {
                        result[row] += (double) values[m] * as[i * width + m] * gs[j * width + m];
                    }
                });
                HeapRows.write(dl, result, accumulate);
            }

            private static void gradientOfGamma(INDArray dy, INDArray a, INDArray lambda, INDArray dg,
                    boolean accumulate) {
                float[] as = Arrays.toFloats(a);
                float[] ls = Arrays.toFloats(lambda);
                double[] result = new double[(int) dg.length()];
                int bases = Arrays.columns(lambda);
                int width = Arrays.columns(a);
                IntStream.range(0, bases).parallel().forEach(j -> {
                    float[] values = new float[width];
                    for (int i = 0; i < Arrays.rows(lambda); i++) {
                        Arrays.read(dy, (long) (i * bases + j) * width, values, 0, width);
                        for (int m = 0; m < width; m++) {
                            result[j * width + m] += (double) values[m] * as[i * width + m] * ls[i * bases + j];
                        }
                    }
                });
                HeapRows.write(dg, result, accumulate);
            }
        }
    }
}
