package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.HeapRows;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * VeLoRA in a layer; {@link Velora} has the formula. {@code lora_velora_embed} e [d] is stored and not trained. With
 * {@code c = (x_g . e)} [N, G] of the groups of x, {@code dA} has the groups {@code scale * (dh^T c)_g e}.
 */
final class VeloraVariant implements LoraVariant {
    private final Velora config;
    private final AdapterTensor direction;
    private final int length;
    /** Whether e stands. */
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
