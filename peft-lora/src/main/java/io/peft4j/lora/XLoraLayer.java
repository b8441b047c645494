package io.peft4j.lora;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.LowRankUpdate;
import java.util.List;
import java.util.Optional;

/**
 * X-LoRA on a linear layer (<a href="https://arxiv.org/abs/2402.07148">2402.07148</a>): {@code y = base(x) + g * sum of
 * c_i (s_i * (x A_i^T)) B_i^T}, s_i [N] the scalings that the pass is given.
 */
final class XLoraLayer extends AbstractAdapterLayer {
    /** One for each adapter; null where it has none here. */
    private final LowRankUpdate[] updates;
    private final double weight;
    private final String scalings;
    private final int firstColumn;

    /**
     * At a place.
     *
     * @param scalings what the pass is given them by, [N, k], or k for each layer
     * @param firstColumn where those of this layer begin
     */
    XLoraLayer(Slot slot, LowRankUpdate[] updates, double weight, String scalings, int firstColumn) {
        super(slot);
        this.updates = updates.clone();
        this.weight = weight;
        this.scalings = scalings;
        this.firstColumn = firstColumn;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable all = context.givenOfRows(scalings).orElseThrow(() -> new IllegalStateException("no " + scalings));
        for (int i = 0; i < updates.length; i++) {
            if (updates[i] != null) {
                Variable h = MatrixOps.product(tape, x, false, value(tape, updates[i].a()), true);
                Variable scaled = ScaleOps.rows(tape, h,
                        ColumnOps.slice(tape, all, firstColumn + i, firstColumn + i + 1));
                Variable change = MatrixOps.product(tape, scaled, false, value(tape, updates[i].b()), true);
                y = ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change,
                        (float) (weight * updates[i].scaling())), y);
            }
        }
        return y;
    }

    private static Variable value(Tape tape, AdapterTensor tensor) {
        return tape.constant(tensor.parameter().value());
    }

    /** Those of the adapters are tensors of X-LoRA as a whole. */
    @Override
    public List<AdapterTensor> tensors() {
        return List.of();
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("its classifier mixes the adapters anew for each token, and a weight is the same for all");
    }

    @Override
    public Optional<String> mixingObstacle() {
        return Optional.of("it runs a first pass of its own");
    }
}
