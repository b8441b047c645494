package io.peft4j.models.llama;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;

/**
 * A decoder layer with norms in front: {@code h = x + attention(norm1(x))}, {@code y = h + mlp(norm2(h))}; x, y [N, H].
 */
final class LlamaDecoderLayer implements Layer {
    private final Slot attentionNorm;
    private final Slot attention;
    private final Slot mlpNorm;
    private final Slot mlp;

    LlamaDecoderLayer(Slot attentionNorm, Slot attention, Slot mlpNorm, Slot mlp) {
        this.attentionNorm = attentionNorm;
        this.attention = attention;
        this.mlpNorm = mlpNorm;
        this.mlp = mlp;
    }


    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable attended = attention.forward(context, attentionNorm.forward(context, x));
        Variable h = ElementwiseOps.addInto(context.tape(), x, attended);
        return ElementwiseOps.addInto(context.tape(), h, mlp.forward(context, mlpNorm.forward(context, h)));
    }
}
