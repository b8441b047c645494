package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import java.util.Optional;

/**
 * What Gemma 4 gives to each of its L layers besides their input, P wide: {@code (norm(projection(x) / sqrt(H)) +
 * table[token]) / sqrt(2)}, with x the embedding [N, H] and the result [N, L x P]; the norm is one of each layer.
 * EmbeddingGemma 2 has no table, and does not divide.
 */
record LayerInputs(Optional<Slot> table, Slot projection, Slot norm) {
    private static final String NAME = "layer_inputs";

    /** The same pass, whose layers find their inputs. */
    ForwardContext given(ForwardContext context, Variable x) {
        if (table.isPresent() && context.batch().virtualTokens().length > 0) {
            throw new ConfigurationException("each layer of this model looks up the token ids, and virtual tokens have "
                    + "none; use a method without virtual tokens, such as lora");
        }
        Tape tape = context.tape();
        Variable read = ElementwiseOps.scale(tape, projection.forward(context, x),
                (float) (1 / Math.sqrt(x.columns())));
        Variable normed = norm.forward(context, read);
        return context.giving(NAME, table.map(slot -> ElementwiseOps.scale(tape, ElementwiseOps.addInto(tape,
                slot.forward(context, context.noInput()), normed), (float) Math.sqrt(0.5))).orElse(normed));
    }

    /** The input of a layer. */
    static Variable of(ForwardContext context, int layer, int width) {
        Variable all = context.given(NAME).orElseThrow(() -> new IllegalStateException("layer " + layer
                + " needs an input of its own, which this pass has not computed"));
        return ColumnOps.slice(context.tape(), all, layer * width, (layer + 1) * width);
    }
}
