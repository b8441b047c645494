package io.peft4j.models.seq2seq;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.CrossAttention;
import io.peft4j.models.architecture.FeedForward;
import java.util.Optional;

/**
 * A layer of T5, whose parts add to what enters their norms: attention to the sequence itself, of a decoder attention
 * to the encoder, and a feed-forward network.
 *
 * @param cross norm and attention to the encoder
 */
record T5Block(Slot selfNorm, Slot self, Optional<Cross> cross, Slot feedForwardNorm, FeedForward feedForward,
        float dropout) {
    /** Attention to the encoder behind its norm. */
    record Cross(Slot norm, CrossAttention attention) {
    }

    Variable forward(ForwardContext context, Variable x, ForwardContext read, Optional<Variable> states) {
        Variable h = FeedForward.sum(context, x, self.forward(context, selfNorm.forward(context, x)), dropout);
        if (cross.isPresent()) {
            Variable normed = cross.get().norm().forward(context, h);
            h = FeedForward.sum(context, h, cross.get().attention().forward(context, normed, read, states), dropout);
        }
        return FeedForward.sum(context, h, feedForward.forward(context, feedForwardNorm.forward(context, h)), dropout);
    }
}
