package io.peft4j.data;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Turns a prompt with its completion, or a text alone, into token ids without a chat template: the ids that the model
 * is asked with, those of the completion, and the end-of-sequence token where the completion does not end with it.
 *
 * <p>The ids of the prompt are those that it has alone, since an answer begins after those. Where a token of both
 * together spans the border, the completion is encoded on its own.
 */
final class ContinuationEncoder {
    private final Tokenizer tokenizer;
    private final String model;

    ContinuationEncoder(Tokenizer tokenizer, String model) {
        this.tokenizer = tokenizer;
        this.model = model;
    }

    TokenSequence encode(ChatExample example, Masking masking) {
        String prompt = prompt(example);
        int[] head = tokenizer.encodeToContinue(prompt);
        int[] ids = withEnd(whole(example, prompt, head));
        float[] weights = new float[ids.length];
        boolean learned = masking == Masking.ALL || ChatExample.isLearned(answer(example));
        // Of a text all tokens are learned, also several special ones before it.
        Arrays.fill(weights, masking == Masking.ALL || prompt.isEmpty() ? 0 : head.length, ids.length, !learned ? 0
                : masking == Masking.ALL ? 1 : ChatExample.weight(answer(example)));
        return new TokenSequence(ids, weights);
    }

    /** The texts of both parts, with the special tokens that are added. */
    List<ChatEncoder.Piece> pieces(ChatExample example, Masking masking) {
        TokenSequence sequence = encode(example, masking);
        int border = tokenizer.encodeToContinue(prompt(example)).length;
        List<ChatEncoder.Piece> pieces = new ArrayList<>();
        if (border > 0) {
            pieces.add(new ChatEncoder.Piece(text(sequence, 0, border), masking == Masking.ALL));
        }
        pieces.add(new ChatEncoder.Piece(text(sequence, border, sequence.length()),
                sequence.weights()[sequence.length() - 1] != 0));
        return pieces;
    }

    private String text(TokenSequence sequence, int from, int to) {
        return tokenizer.decode(Arrays.copyOfRange(sequence.ids(), from, to), false);
    }

    private int[] whole(ChatExample example, String prompt, int[] head) {
        String completion = answer(example).content();
        int[] whole = tokenizer.encodeToContinue(prompt + completion);
        if (whole.length >= head.length && Arrays.mismatch(head, 0, head.length, whole, 0, head.length) < 0) {
            return whole;
        }
        int[] tail = tokenizer.encode(completion);
        int[] both = Arrays.copyOf(head, head.length + tail.length);
        System.arraycopy(tail, 0, both, head.length, tail.length);
        if (!tokenizer.decode(both, false).equals(tokenizer.decode(whole, false))) {
            throw ChatEncoder.fail(example, "a token spans the border between \"prompt\" and \"completion\", "
                    + "and this tokenizer cannot start a text there; move white space at the end of the prompt "
                    + "to the beginning "
                    + "of the completion");
        }
        return both;
    }

    private int[] withEnd(int... ids) {
        int eos = tokenizer.eosId().orElseThrow(() -> new ConfigurationException("the tokenizer of " + model
                + " has no end-of-sequence token, so a model would not learn where a text ends; set "
                + "\"eos_token\" in tokenizer_config.json"));
        if (ids.length > 0 && ids[ids.length - 1] == eos) {
            return ids;
        }
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = eos;
        return ended;
    }

    /** What is given; nothing for a text alone. */
    private static String prompt(ChatExample example) {
        return example.prompt().isEmpty() ? "" : example.prompt().get(0).content();
    }

    private static ChatMessage answer(ChatExample example) {
        return example.messages().get(example.messages().size() - 1);
    }
}
