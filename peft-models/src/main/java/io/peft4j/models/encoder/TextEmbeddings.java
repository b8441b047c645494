package io.peft4j.models.encoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import java.util.List;
import java.util.Optional;

/**
 * What enters the first layer, [N, H]: the sum of the embeddings of token, position and text.
 *
 * @param tables their places, that of the tokens first
 * @param types the number of texts in a sequence that are told apart; 0: none are
 * @param norm the norm, if there is one
 * @param projection a linear layer to H, where the embeddings are of another width
 * @param dropout probability with which elements are dropped in training
 */
record TextEmbeddings(List<Slot> tables, int types, Optional<Slot> norm, Optional<Slot> projection, float dropout) {
    Variable forward(ForwardContext context) {
        Variable sum = tables.get(0).forward(context, context.noInput());
        for (Slot table : tables.subList(1, tables.size())) {
            sum = ElementwiseOps.add(context.tape(), sum, table.forward(context, context.noInput()));
        }
        Variable whole = sum;
        Variable normed = norm.map(slot -> slot.forward(context, whole)).orElse(sum);
        Variable kept = FeedForward.dropped(context, normed, dropout);
        return projection.isPresent() ? projection.get().forward(context, kept) : kept;
    }
}
