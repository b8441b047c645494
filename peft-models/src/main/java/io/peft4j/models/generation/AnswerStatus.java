package io.peft4j.models.generation;

/**
 * What an {@link AnswerService} does and has done.
 *
 * @param running answers that grow
 * @param waiting requests that wait
 * @param cacheRows tokens whose keys and values there is room for
 * @param usedCacheRows of these, those that answers hold now
 * @param keptCacheRows of these, those of earlier prompts, kept until there is a need for the room
 * @param promptTokens tokens of prompts so far
 * @param reusedTokens of these, those whose keys and values were there already
 * @param newTokens tokens of answers so far
 */
public record AnswerStatus(int running, int waiting, int cacheRows, int usedCacheRows, int keptCacheRows,
        long promptTokens, long reusedTokens, long newTokens) {
}
