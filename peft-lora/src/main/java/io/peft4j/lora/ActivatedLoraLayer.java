package io.peft4j.lora;

import io.peft4j.core.autograd.LowRankOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Activated LoRA on a linear layer (<a href="https://arxiv.org/abs/2504.12397">2504.12397</a>): what {@link LoraLayer}
 * adds is added to the rows from the invocation on,
 * {@code y[i] = base(x)[i] + m_i * s * ((dropout(x) A^T) B^T + b)[i]}, m_i being 1 where the row's
 * sequence has been invoked, and 0 before. Parameters as LoRA's.
 *
 * <p>Cannot be merged: a merged weight works on all rows.
 */
final class ActivatedLoraLayer implements AdapterLayer {
    private final LoraLayer lora;

    ActivatedLoraLayer(LoraLayer lora) {
        this.lora = lora;
    }

    @Override
    public Slot slot() {
        return lora.slot();
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        boolean[] invoked = context.batch().invoked();
        if (invoked.length == 0) {
            return lora.forward(context, x, base);
        }
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable input = lora.dropped(context, x);
        Variable a = tape.parameter(lora.a());
        Variable b = tape.parameter(lora.b());
        Optional<Variable> bias = lora.scaledBias(tape);
        List<LowRankOps.RowUpdate> updates = new ArrayList<>();
        for (int from = 0, to; from < invoked.length; from = to) {
            to = from + 1;
            while (to < invoked.length && invoked[to] == invoked[from]) {
                to++;
            }
            if (invoked[from]) {
                updates.add(new LowRankOps.RowUpdate(from, to, a, b, (float) lora.scaling()));
            }
        }
        y = LowRankOps.addByRows(tape, y, input, updates);
        if (bias.isPresent()) {
            for (LowRankOps.RowUpdate rows : updates) {
                y = MatrixOps.addBiasToRows(tape, y, rows.from(), rows.to(), bias.get());
            }
        }
        return y;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return lora.tensors();
    }

    @Override
    public boolean hasDropout() {
        return lora.hasDropout();
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("it is active after its invocation tokens only (alora_invocation_tokens), and a merged "
                + "weight works on all "
                + "tokens");
    }
}
