package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.peft.method.MergedLayer;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The LoRA of an embedding on the output layer that has the same matrix: {@code y = base(x) + s * (dropout(x) B) A^T}:
 * x [N, H], y [N, V], with the embedding's B [H, r] and A, held as [V, r]. Both uses train the same values; a file
 * holds them a second time, as {@code lora_A.weight} [r, H] and {@code lora_B.weight} [V, r].
 *
 * <p>Merged: {@code W + s * A B^T}.
 */
final class TiedLoraLayer extends AbstractAdapterLayer {
    private final double scaling;
    private final double dropout;
    private final AdapterTensor left;
    private final AdapterTensor right;

    TiedLoraLayer(Slot head, LoraEmbedding embedding, double scaling, double dropout) {
        super(head);
        this.scaling = scaling;
        this.dropout = dropout;
        this.left = embedding.b().transposedAs("lora_A.weight");
        this.right = embedding.a().transposedAs("lora_B.weight");
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable h = MatrixOps.product(tape, dropout(context, x, dropout), false, tape.parameter(left.parameter()),
                false);
        Variable change = MatrixOps.product(tape, h, false, tape.parameter(right.parameter()), true);
        return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change, (float) scaling),
                base.forward(context, x));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(left, right);
    }

    @Override
    public boolean hasDropout() {
        return dropout > 0;
    }

    @Override
    public Optional<LowRankUpdate> lowRankUpdate() {
        return Optional.of(new LowRankUpdate(left, right, scaling, false));
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        INDArray b = left.parameter().value();
        try (INDArray transposed = Arrays.of(Arrays.transposed(Arrays.toFloats(b), Arrays.rows(b), Arrays.columns(b)),
                Arrays.columns(b), Arrays.rows(b))) {
            LowRank.add(copy.weight(), right.parameter().value(), transposed, scaling);
        }
    }
}
