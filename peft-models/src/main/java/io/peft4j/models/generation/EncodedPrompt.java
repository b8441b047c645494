package io.peft4j.models.generation;

import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.nn.TokenSequence;
import java.util.Arrays;
import java.util.List;

/**
 * A prompt as token ids.
 *
 * @param tokens what the answer follows
 * @param source for an encoder-decoder, what its encoder reads; otherwise none
 * @param task the task that it is computed as; {@link TokenSequence#NO_TASK} where no adapter has tasks
 * @param group the group of layers that it runs through ({@link io.peft4j.core.nn.LayerSelection#group})
 */
record EncodedPrompt(int[] tokens, int[] source, int task, int group) {
    /** The number of tokens in all. */
    int length() {
        return tokens.length + source.length;
    }

    /** For each token whether it has been invoked; empty where no adapter waits for that. */
    boolean[] invoked(ModelLease model) {
        if (model.network() instanceof EncoderDecoderNetwork) {
            return new boolean[0];
        }
        boolean[] invoked = model.layers().prepare(model.network().pack(List.of(sequence()))).invoked();
        return invoked.length == 0 ? invoked : Arrays.copyOfRange(invoked, invoked.length - tokens.length,
                invoked.length);
    }

    /** As what a network is given it. */
    TokenSequence sequence() {
        return TokenSequence.unsupervised(tokens).withSource(source).inTask(task).inGroup(group);
    }
}
