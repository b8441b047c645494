package io.peft4j.data;

import io.peft4j.core.Internal;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.task.JudgedAnswer;
import java.util.Arrays;
import java.util.Optional;

/**
 * Turns answers that are compared or judged into token ids, with a {@link ChatEncoder}: supervised are the answer and
 * its end-of-turn token, nothing of the prompt. What is longer than a limit is cut there, from the end.
 */
@Internal(shared = true)
public final class PreferenceEncoder {
    private final ChatEncoder pairs;
    private final ChatEncoder last;

    /** An encoder with a checkpoint's tokenizer and template. */
    public PreferenceEncoder(Tokenizer tokenizer, ChatTemplate template) {
        this(new ChatEncoder(tokenizer, template), new ChatEncoder(tokenizer, template, Masking.LAST_TURN));
    }

    private PreferenceEncoder(ChatEncoder pairs, ChatEncoder last) {
        this.pairs = pairs;
        this.last = last;
    }

    /** An encoder for a model; without a chat template it takes prompts and answers that are plain texts. */
    public static PreferenceEncoder of(LanguageModel model) {
        return new PreferenceEncoder(ChatEncoder.of(model), ChatEncoder.of(model, Masking.LAST_TURN));
    }

    /** An encoder without a chat template. */
    public static PreferenceEncoder ofTexts(Tokenizer tokenizer) {
        return new PreferenceEncoder(ChatEncoder.ofTexts(tokenizer), ChatEncoder.ofTexts(tokenizer));
    }

    /**
     * A prompt with each of two answers.
     *
     * @param preferred the prompt and the better answer
     * @param rejected the prompt and the worse answer
     */
    public record Pair(TokenSequence preferred, TokenSequence rejected) {
    }

    /**
     * Encodes a pair.
     *
     * @param maxLength the most tokens of a prompt with an answer
     * @param faults takes what is wrong with it
     * @param number the number of the example, from 0, for {@code faults}
     * @return empty where it is left out
     * @throws io.peft4j.core.error.DataException as {@link ChatEncoder#encode(ChatExample)} says
     */
    public Optional<Pair> encode(PreferenceExample example, int maxLength, AnswerFault.Log faults, int number) {
        if (example.hasEmptyAnswer()) {
            faults.add(AnswerFault.EMPTY, number, example.origin());
            return Optional.empty();
        }
        if (pairs.beyond(example.preferredChat(), maxLength) > 0
                || pairs.beyond(example.rejectedChat(), maxLength) > 0) {
            faults.add(AnswerFault.FAR_TOO_LONG, number, example.origin());
            return Optional.empty();
        }
        TokenSequence preferred = pairs.encode(example.preferredChat());
        TokenSequence rejected = pairs.encode(example.rejectedChat());
        Pair pair = new Pair(cut(preferred, maxLength), cut(rejected, maxLength));
        if (pair.preferred().supervisedTokens() == 0 || pair.rejected().supervisedTokens() == 0) {
            faults.add(AnswerFault.CUT_AWAY, number, example.origin());
            return Optional.empty();
        }
        if (Arrays.equals(pair.preferred().ids(), pair.rejected().ids())) {
            faults.add(AnswerFault.EQUAL, number, example.origin());
            return Optional.empty();
        }
        if (lost(preferred, pair.preferred()) || lost(rejected, pair.rejected())) {
            faults.add(AnswerFault.CUT, number, example.origin());
        }
        return Optional.of(pair);
    }

    /** Encodes an answer that was judged, as the other does. */
    public Optional<TokenSequence> encode(JudgedAnswer example, int maxLength, AnswerFault.Log faults, int number) {
        if (example.isEmpty()) {
            faults.add(AnswerFault.EMPTY, number, example.chat().origin());
            return Optional.empty();
        }
        if (last.beyond(example.chat(), maxLength) > 0) {
            faults.add(AnswerFault.FAR_TOO_LONG, number, example.chat().origin());
            return Optional.empty();
        }
        TokenSequence whole = last.encode(example.chat());
        TokenSequence sequence = cut(whole, maxLength);
        if (sequence.supervisedTokens() == 0) {
            faults.add(AnswerFault.CUT_AWAY, number, example.chat().origin());
            return Optional.empty();
        }
        if (lost(whole, sequence)) {
            faults.add(AnswerFault.CUT, number, example.chat().origin());
        }
        return Optional.of(sequence);
    }

    private static boolean lost(TokenSequence whole, TokenSequence part) {
        return part.supervisedTokens() < whole.supervisedTokens();
    }

    private static TokenSequence cut(TokenSequence sequence, int maxLength) {
        return sequence.length() <= maxLength ? sequence : sequence.first(maxLength);
    }
}
