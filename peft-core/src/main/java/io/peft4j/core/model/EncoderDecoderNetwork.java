package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * A network whose decoder predicts the tokens of a text for another text, which its encoder reads: a causal network
 * whose batches have a {@linkplain io.peft4j.core.nn.PackedBatch#source() source}. A sequence of it begins with
 * {@link #startToken()}, which is never predicted.
 */
@Internal(shared = true)
public interface EncoderDecoderNetwork extends CausalNetwork {
    /** The token that each sequence of the decoder begins with. */
    int startToken();

    /** The places of the decoder, part of {@link #slots()}. */
    List<Slot> decoderSlots();

    @Override
    default Task task() {
        return Task.of(Task.Type.SEQ_2_SEQ_LM);
    }

    /** Sequences that begin alike go with different sources. */
    @Override
    default boolean sharesPrefixes() {
        return false;
    }
}
