package io.peft4j.models.generation;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import java.util.List;

/**
 * Follows the answers to a request while they grow. Called by one thread at a time, in order; a slow
 * listener delays its own request alone.
 */
@FunctionalInterface
@Internal(shared = true)
public interface AnswerListener {
    /** Hears nothing and never stops. */
    AnswerListener NONE = (answer, piece, tokens) -> true;

    /**
     * A piece of an answer: whole characters, and nothing that a stop string may still cut off.
     *
     * @param answer the number of the answer, from 0
     * @param piece the new text; not empty unless there are tokens
     * @param tokens the probabilities of tokens that have not been told before, where the request asks for them; the
     *     tokens whose text has been told, and perhaps some behind
     * @return false to cancel the request
     */
    boolean onText(int answer, String piece, List<TokenProbability> tokens);

    /**
     * An answer is complete.
     *
     * @param answer its number
     */
    default void onEnd(int answer, Completion completion) {
    }
}
