package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * KaSA on a linear layer (<a href="https://arxiv.org/abs/2412.06071">2412.06071</a>): {@code y = base(x) - x V^T (U
 * diag(S))^T + s * (d * (dropout(x) A^T)) B^T}: A [r, in], B [out, r], {@code lora_diag} d [r]; U diag(S) [out, r] and
 * V [r, in] the r smallest singular components of the base weight, in a product that does not depend on their signs.
 */
final class KasaLayer extends ChangeLayer {
    private final float scaling;
    private final AdapterTensor a;
    private final AdapterTensor b;
    private final AdapterTensor diagonal;
    /** -U diag(S) and V. */
    private final INDArray[] lost;

    KasaLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling) {
        super(setup, slot, config.dropout());
        int in = linear().inFeatures();
        int out = linear().outFeatures();
        int all = Math.min(in, out);
        Checks.require(rank < all,
                "kasa_config takes the " + rank + " smallest of the " + all + " singular components of "
                        + slot.path() + "; choose a rank that leaves some");
        this.scaling = (float) scaling;
        this.a = setup.tensor(slot, "lora_A.weight", config.initialization().a(rank, in), rank, in);
        this.b = setup.tensor(slot, "lora_B.weight", config.initialization().b(rank), out, rank);
        this.diagonal = setup.tensor(slot, "lora_diag", Initializer.normal(1), rank);
        SingularValues values = SingularValues.whole(Arrays.doubles(linear().weight().toFloats()), out, in, all);
        double[] left = new double[out * rank];
        for (int i = 0; i < left.length; i++) {
            int column = all - rank + i % rank;
            left[i] = -values.u()[i / rank * all + column] * values.s()[column];
        }
        double[] right = java.util.Arrays.copyOfRange(values.vt(), (all - rank) * in, all * in);
        this.lost = new INDArray[] {Arrays.of(Arrays.floats(left), out, rank), Arrays.of(Arrays.floats(right), rank,
                in)};
    }

    @Override
    protected Variable change(Tape tape, Variable x, Variable kept) {
        Variable h = ScaleOps.columns(tape, MatrixOps.product(tape, kept, false, tape.parameter(a.parameter()), true),
                tape.parameter(diagonal.parameter()));
        Variable change = ElementwiseOps.scale(tape,
                MatrixOps.product(tape, h, false, tape.parameter(b.parameter()), true), scaling);
        Variable less = MatrixOps.product(tape, MatrixOps.product(tape, x, false, tape.constant(lost[1]), true), false,
                tape.constant(lost[0]), true);
        return ElementwiseOps.addInto(tape, less, change);
    }

    /** What is held beside the tensors. */
    Stream<INDArray> derived() {
        return Stream.of(lost);
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(a, b, diagonal);
    }
}
