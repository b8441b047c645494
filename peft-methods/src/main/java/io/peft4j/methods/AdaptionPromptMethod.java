package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.AttentionStep;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** LLaMA-Adapter; {@link AdaptionPromptConfig} says what it computes. */
@Internal
public final class AdaptionPromptMethod extends ConfiguredMethod<AdaptionPromptConfig> {
    @Override
    protected Adapter adapter(AdaptionPromptConfig config, AdapterSetup setup) {
        String name = config.attention().orElse(AdaptionPromptConfig.ATTENTION);
        List<Slot> all = setup.network().slots().stream().filter(slot -> slot.layer() instanceof SelfAttention)
                .filter(slot -> slot.name().equals(name)).toList();
        Checks.require(!all.isEmpty(), "target_modules '" + name + "' matches no attention layer of this model");
        AdaptionPromptConfig resolved = config.toBuilder().attention(Optional.of(name))
                .layers(config.layers() == 0 ? all.size() : config.layers()).build();
        Checks.require(resolved.layers() <= all.size(), "adapter_layers is " + resolved.layers()
                + ", and the model has " + all.size() + " attention layers");
        List<AdapterLayer> layers = new ArrayList<>();
        all.subList(all.size() - resolved.layers(), all.size())
                .forEach(slot -> layers.add(new AdaptionPromptLayer(setup, slot, config.length())));
        return Adapter.of(setup.isRestoring() ? config : resolved, layers);
    }

    /**
     * An attention layer with a gated look at trained vectors P [1, L, H] (<a
     * href="https://arxiv.org/abs/2303.16199">2303.16199</a>): the result of attention [N, heads x D], before the
     * output projection, becomes {@code attention(q, k, v) + g * softmax(q Kp^T / sqrt(D)) Vp}, {@code Kp = k_proj(P)}
     * and {@code Vp = v_proj(P)} of the base, without positions, and the gate g [1].
     *
     * <p>As in Hugging Face PEFT a bias of the output projection counts twice.
     */
    private static final class AdaptionPromptLayer extends AbstractAdapterLayer {
        private final Linear key;
        private final Linear value;
        private final Linear output;
        private final AdapterTensor prompt;
        private final AdapterTensor gate;

        AdaptionPromptLayer(AdapterSetup setup, Slot slot, int length) {
            super(slot);
            this.key = part(setup, slot, "k_proj");
            this.value = part(setup, slot, "v_proj");
            this.output = part(setup, slot, "o_proj");
            this.prompt = setup.tensor(slot, "adaption_prompt", Initializer.normal(1), 1, length, key.inFeatures());
            this.gate = setup.tensor(slot, "adaption_gate", Initializer.ZEROS, 1);
        }

        private static Linear part(AdapterSetup setup, Slot slot, String name) {
            return setup.network().slots().stream().filter(other -> other.path().equals(slot.path() + "." + name))
                    .map(Slot::layer).filter(Linear.class::isInstance).map(Linear.class::cast).findFirst()
                    .orElseThrow(() -> new ConfigurationException("LLaMA-Adapter needs a linear layer " + name + " in "
                            + slot.path() + ", and models of type " + setup.network().description().modelType()
                            + " have none"));
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Variable y = base.forward(context.withAttention(below -> (pass, inputs) -> attend(pass, inputs, below)), x);
            return output.bias().isEmpty() ? y
                    : MatrixOps.addBias(context.tape(), y, context.tape().constant(output.bias().get()));
        }

        private Variable attend(ForwardContext context, AttentionInputs inputs, AttentionStep below) {
            Tape tape = context.tape();
            Variable vectors = SmallOps.matrix(tape, tape.parameter(prompt.parameter()), key.inFeatures());
            Variable looked = PromptAttention.run(tape, inputs.queries(), key.forward(context, vectors),
                    value.forward(context, vectors), tape.parameter(gate.parameter()), inputs.shape());
            return ElementwiseOps.add(tape, below.run(context, inputs), looked);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(prompt, gate);
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("the prompt vectors have their own attention, which cannot be expressed as a weight");
        }
    }

    /**
     * Attention of all queries to the same few keys, gated: {@code y = g * softmax(scale * q K^T) V} for each head: q,
     * y [N, heads x D], K, V [L, key/value heads x D], g [1]. In double on the heap: L is small.
     *
     * <p>With weights w, {@code a = w V} and the gradient dy: {@code dg = sum of dy a}, {@code dV += g w^T dy},
     * {@code dw = g dy V^T}, {@code ds = w (dw - sum of w dw)}, {@code dq = scale ds K}, {@code dK += scale ds^T q}.
     */
    private static final class PromptAttention {
        private final AttentionShape shape;
        private final float[] keys;
        private final float[] values;
        private final double gate;
        private final int length;

        private PromptAttention(AttentionShape shape, INDArray keys, INDArray values, INDArray gate) {
            this.shape = shape;
            this.keys = Arrays.toFloats(keys);
            this.values = Arrays.toFloats(values);
            this.gate = Arrays.toFloats(gate)[0];
            this.length = Arrays.rows(keys);
        }

        static Variable run(Tape tape, Variable q, Variable k, Variable v, Variable gate, AttentionShape shape) {
            INDArray y = tape.arena().allocate(q.value().dataType(), q.value().shape());
            PromptAttention forward = new PromptAttention(shape, k.value(), v.value(), gate.value());
            HeapRows.forPieces(q.rows(), (piece, from, count) -> HeapRows.write(y, from,
                    forward.attend(HeapRows.read(q.value(), from, count)), false));
            return tape.record(y, (out, dy) -> {
                PromptAttention again = new PromptAttention(shape, k.value(), v.value(), gate.value());
                int pieces = HeapRows.pieces(q.rows());
                int size = again.keys.length;
                // Of the keys, of the values, of the gate.
                double[][] sums = new double[pieces][2 * size + 1];
                float[][] dq = new float[pieces][];
                HeapRows.forPieces(q.rows(), (piece, from, count) -> dq[piece] = again.back(
                        HeapRows.read(q.value(), from, count), HeapRows.read(dy, from, count), sums[piece]));
                double[] sum = HeapRows.sum(sums, 2 * size + 1);
                k.addGradient((d, accumulate) -> HeapRows.write(d, java.util.Arrays.copyOf(sum, size), accumulate));
                v.addGradient((d, accumulate) -> HeapRows.write(d, java.util.Arrays.copyOfRange(sum, size, 2 * size),
                        accumulate));
                gate.addGradient((d, accumulate) -> HeapRows.write(d, new double[] {sum[2 * size]}, accumulate));
                q.addGradient((d, accumulate) -> HeapRows.forPieces(Arrays.rows(d),
                        (piece, from, count) -> HeapRows.write(d, from, dq[piece], accumulate)));
            }, List.of(q, k, v, gate));
        }

        /** The first column of a head's keys. */
        private int keyColumn(int head) {
            return head / (shape.heads() / shape.keyValueHeads()) * shape.headSize();
        }

        private double[] weights(float[] q, int at, int head) {
            double[] weights = new double[length];
            double largest = Double.NEGATIVE_INFINITY;
            for (int l = 0; l < length; l++) {
                double sum = 0;
                int row = l * shape.keyColumns() + keyColumn(head);
                for (int d = 0; d < shape.headSize(); d++) {
                    sum += (double) q[at + d] * keys[row + d];
                }
                weights[l] = sum * shape.scale();
                largest = Math.max(largest, weights[l]);
            }
            double total = 0;
            for (int l = 0; l < length; l++) {
                weights[l] = Math.exp(weights[l] - largest);
                total += weights[l];
            }
            for (int l = 0; l < length; l++) {
                weights[l] /= total;
            }
            return weights;
        }

        private float[] attend(float[] q) {
            float[] result = new float[q.length];
            int size = shape.headSize();
            for (int at = 0; at < q.length; at += size) {
                int head = at / size % shape.heads();
                double[] weights = weights(q, at, head);
                for (int d = 0; d < size; d++) {
                    double sum = 0;
                    for (int l = 0; l < length; l++) {
                        sum += weights[l] * values[l * shape.keyColumns() + keyColumn(head) + d];
                    }
                    result[at + d] = (float) (gate * sum);
                }
            }
            return result;
        }

        /** Adds to the sums of keys, values and gate; gives the gradient of the queries. */
        private float[] back(float[] q, float[] dy, double[] sums) {
            float[] dq = new float[q.length];
            int size = shape.headSize();
            for (int at = 0; at < q.length; at += size) {
                int head = at / size % shape.heads();
                double[] weights = weights(q, at, head);
                double[] dWeights = new double[length];
                double mean = 0;
                for (int l = 0; l < length; l++) {
                    int row = l * shape.keyColumns() + keyColumn(head);
                    double along = 0;
                    for (int d = 0; d < size; d++) {
                        along += (double) dy[at + d] * values[row + d];
                        sums[keys.length + row + d] += gate * weights[l] * dy[at + d];
                    }
                    sums[2 * keys.length] += weights[l] * along;
                    dWeights[l] = gate * along;
                    mean += weights[l] * dWeights[l];
                }
                double[] dHead = new double[size];
                for (int l = 0; l < length; l++) {
                    int row = l * shape.keyColumns() + keyColumn(head);
                    double dScore = shape.scale() * weights[l] * (dWeights[l] - mean);
                    for (int d = 0; d < size; d++) {
                        dHead[d] += dScore * keys[row + d];
                        sums[row + d] += dScore * q[at + d];
                    }
                }
                for (int d = 0; d < size; d++) {
                    dq[at + d] = (float) dHead[d];
                }
            }
            return dq;
        }
    }
}
