package io.peft4j.lora.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.lora.RandLoraConfig;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * RandLoRA on a linear layer (<a href="https://arxiv.org/abs/2502.00987">2502.00987</a>). With min and max of in and
 * out, {@code n = ceil(min / r)}, U [r n, min] the {@link ScaledBases} of the shared A, and B [max, n r] cut out of the
 * shared matrix, {@code s = alpha / r}: {@code y = base(x) + s * (dropout(x) U^T) B^T} where in is not larger than out,
 * and {@code s * (dropout(x) B) U} where it is. lambda [r, n] and gamma [n, min] are trained: {@code n * (r + min)}.
 *
 * <p>Merged: {@code W + s B U}, or {@code W + s (B U)^T}.
 */
final class RandLoraLayer extends ProjectedLayer {
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
}
