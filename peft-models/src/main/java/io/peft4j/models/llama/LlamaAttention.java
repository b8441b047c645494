package io.peft4j.models.llama;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * Causal self-attention with grouped-query heads (<a href="https://arxiv.org/abs/2305.13245">2305.13245</a>) and rotary
 * positions: x and result [N, H]; queries [N, heads x D], keys and values [N, key/value heads x D].
 */
final class LlamaAttention implements SelfAttention {
    private final int layer;
    private final AttentionShape shape;
    private final RotaryEmbedding rotary;
    private final Slot query;
    private final Slot key;
    private final Slot value;
    private final Slot output;

    LlamaAttention(int layer, AttentionShape shape, RotaryEmbedding rotary, Slot query, Slot key, Slot value,
            Slot output) {
        this.layer = layer;
        this.shape = shape;
        this.rotary = rotary;
        this.query = query;
        this.key = key;
        this.value = value;
        this.output = output;
    }

    /** The same attention in another layer, with the same weights; its places go into {@code slots}, itself first. */
    Slot copyAt(int index, String path, List<Slot> slots) {
        int at = slots.size();
        Slot slot = new Slot(path, new LlamaAttention(index, shape, rotary, LlamaDecoderLayer.copy(query, path, slots),
                LlamaDecoderLayer.copy(key, path, slots), LlamaDecoderLayer.copy(value, path, slots),
                LlamaDecoderLayer.copy(output, path, slots)));
        slots.add(at, slot);
        return slot;
    }

    @Override
    public int index() {
        return layer;
    }

    @Override
    public AttentionShape shape() {
        return shape;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, context, x);
    }

    /**
     * Attention of some rows to all of them.
     *
     * @param context the pass on all rows
     * @param x all rows
     * @param queries the pass on the rows that are wanted
     * @param queryRows those rows of x
     */
    Variable forward(ForwardContext context, Variable x, ForwardContext queries, Variable queryRows) {
        Tape tape = context.tape();
        RotaryTable table = rotary.table(context.batch().maxPosition() + 1);
        Variable q = query.forward(queries, queryRows);
        Variable k = key.forward(context, x);
        Variable v = value.forward(context, x);
        q = AttentionOps.rotary(tape, q, shape.headSize(), table, queries.batch().positions());
        k = AttentionOps.rotary(tape, k, shape.headSize(), table, context.batch().positions());
        return output.forward(queries, context.attend(
                new AttentionInputs(layer, shape, queries.batch().layout(), q, k, v)));
    }
}
