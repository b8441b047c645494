package io.peft4j.models.encoder.internal;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;

/** The layers of a head, from hidden states [M, H] to its result [M, outputs]. */
record EncoderHead(HeadPlan.Rows rows, List<Step> steps, Slot output, float dropout) implements Layer {
    /** A linear layer with what follows it. */
    record Step(Slot linear, Activation activation, Optional<Slot> norm, boolean dropout) {
    }

    @Override
    public Variable forward(ForwardContext context, Variable hidden) {
        Variable x = hidden;
        for (Step step : steps) {
            Variable input = step.dropout() ? dropped(context, x) : x;
            Variable active = ElementwiseOps.activate(context.tape(), step.activation(),
                    step.linear().forward(context, input));
            x = step.norm().isPresent() ? step.norm().get().forward(context, active) : active;
        }
        return output.forward(context, dropped(context, x));
    }

    private Variable dropped(ForwardContext context, Variable x) {
        return !context.isTraining() || dropout == 0 ? x
                : ElementwiseOps.dropout(context.tape(), x, dropout, context.nextDropoutSeed());
    }
}
