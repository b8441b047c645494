package io.peft4j.core.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.Model;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.Tokenizer;
import java.util.Arrays;
import java.util.OptionalInt;

/** Makes sequences of texts and of what an encoder-decoder is to make of them. */
@Internal(shared = true)
public final class SourceEncoder {
    private final Tokenizer tokenizer;
    private final int start;

    /**
     * An encoder for a model.
     *
     * @throws ConfigurationException when the model is no encoder-decoder
     */
    public SourceEncoder(Model model) {
        if (!(model.network() instanceof EncoderDecoderNetwork network)) {
            throw new ConfigurationException(model.network().description().name() + " is a model of type "
                    + model.network().description().modelType() + ", not an encoder-decoder");
        }
        this.tokenizer = model.tokenizer();
        this.start = network.startToken();
    }

    /** The tokens of a target without the token that the decoder begins with, and with the one that ends a text. */
    private int[] target(String text) {
        int[] ids = tokenizer.encodeWithSpecials(text);
        int first = ids.length > 0 && ids[0] == start ? 1 : 0;
        OptionalInt end = tokenizer.eosId();
        boolean open = end.isPresent() && (ids.length == first || ids[ids.length - 1] != end.getAsInt());
        int[] target = Arrays.copyOfRange(ids, first, open ? ids.length + 1 : ids.length);
        if (open) {
            target[target.length - 1] = end.getAsInt();
        }
        return target;
    }

    /** A target whose tokens, its end included, are all predicted from a source. */
    public TokenSequence encode(String source, String target) {
        int[] read = tokenizer.encodeWithSpecials(source);
        int[] written = target(target);
        if (read.length == 0) {
            throw new ConfigurationException("a source has no tokens: \"" + source + "\"");
        }
        int[] ids = new int[written.length + 1];
        ids[0] = start;
        System.arraycopy(written, 0, ids, 1, written.length);
        float[] weights = new float[ids.length];
        Arrays.fill(weights, 1, weights.length, 1);
        return new TokenSequence(ids, weights).withSource(read);
    }
}
