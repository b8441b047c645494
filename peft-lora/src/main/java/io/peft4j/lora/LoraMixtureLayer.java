package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A mixture of LoRA experts on a linear layer (<a href="https://arxiv.org/abs/2312.09979">2312.09979</a>):
 * {@code y = base(x) + s * (g * (dropout(x) A^T)) B^T}, {@code g = softmax(x G^T)}: x [N, in], y [N, out], A [k r, in]
 * and B [out, k r] with the experts one after the other, G [k, in]; g [N, k] scales the r columns of each expert.
 * {@code k * r * (in + out) + k * in} parameters.
 *
 * <p>Cannot be merged: what is added depends on the token.
 */
final class LoraMixtureLayer extends AbstractAdapterLayer {
    private final float dropout;
    private final float scaling;
    private final AdapterTensor gate;
    private final AdapterTensor a;
    private final AdapterTensor b;

    LoraMixtureLayer(AdapterSetup setup, Slot slot, LoraMixtureConfig config) {
        super(slot);
        Linear linear = linear();
        LoraConfig lora = config.lora();
        int columns = config.experts() * lora.rank();
        this.dropout = (float) lora.dropout();
        this.scaling = (float) lora.scaling(lora.rank(), lora.alpha());
        this.gate = setup.tensor(slot, "lora_gate.weight", Initializer.linear(linear.inFeatures()), config.experts(),
                linear.inFeatures());
        this.a = setup.tensor(slot, "lora_A.weight", lora.initialization().a(columns, linear.inFeatures()), columns,
                linear.inFeatures());
        this.b = setup.tensor(slot, "lora_B.weight", lora.initialization().b(columns), linear.outFeatures(), columns);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = dropout(context, x, dropout);
        Variable chosen = MatrixOps.product(tape, x, false, tape.parameter(gate.parameter()), true);
        Variable h = MatrixOps.product(tape, input, false, tape.parameter(a.parameter()), true);
        Variable change = MatrixOps.product(tape, mix(tape, h, chosen), false, tape.parameter(b.parameter()), true);
        return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change, scaling), y);
    }

    /**
     * {@code m[n, i r + j] = g[n, i] h[n, i r + j]}, {@code g[n] = softmax(z[n])}. Gradients, with
     * {@code dg[n, i] = sum_j dm[n, i r + j] h[n, i r + j]}: {@code dh = g dm}, {@code dz = g (dg - sum_i g_i dg_i)}.
     */
    static Variable mix(Tape tape, Variable h, Variable z) {
        int rank = h.columns() / z.columns();
        float[] shares = softmax(Arrays.toFloats(z.value()), z.columns());
        float[] values = Arrays.toFloats(h.value());
        INDArray mixed = tape.allocateFloat(h.rows(), h.columns());
        Arrays.write(mixed, 0, scaled(values, shares, rank), 0, values.length);
        return tape.record(mixed, (out, dm) -> {
            float[] gradient = Arrays.toFloats(dm);
            float[] own = Arrays.toFloats(h.value());
            h.addGradient((dh, accumulate) -> HeapRows.write(dh, scaled(gradient, shares, rank), accumulate));
            z.addGradient((dz, accumulate) -> HeapRows.write(dz,
                    gateGradient(gradient, own, shares, z.columns(), rank), accumulate));
        }, List.of(h, z));
    }

    private static float[] softmax(float[] logits, int experts) {
        float[] shares = new float[logits.length];
        for (int row = 0; row < logits.length; row += experts) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = row; i < row + experts; i++) {
                largest = Math.max(largest, logits[i]);
            }
            double sum = 0;
            for (int i = row; i < row + experts; i++) {
                shares[i] = (float) Math.exp(logits[i] - largest);
                sum += shares[i];
            }
            for (int i = row; i < row + experts; i++) {
                shares[i] /= (float) sum;
            }
        }
        return shares;
    }

    private static float[] scaled(float[] values, float[] shares, int rank) {
        float[] result = new float[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i] * shares[i / rank];
        }
        return result;
    }

    private static float[] gateGradient(float[] dm, float[] h, float[] shares, int experts, int rank) {
        float[] result = new float[shares.length];
        for (int row = 0; row < shares.length; row += experts) {
            double mean = 0;
            for (int i = row; i < row + experts; i++) {
                double sum = 0;
                for (int j = i * rank; j < (i + 1) * rank; j++) {
                    sum += (double) dm[j] * h[j];
                }
                result[i] = (float) sum;
                mean += shares[i] * sum;
            }
            for (int i = row; i < row + experts; i++) {
                result[i] = (float) (shares[i] * (result[i] - mean));
            }
        }
        return result;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(gate, a, b);
    }

    @Override
    public boolean hasDropout() {
        return dropout > 0;
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("its gate mixes the experts separately for each token, and a weight is the same for all");
    }
}
