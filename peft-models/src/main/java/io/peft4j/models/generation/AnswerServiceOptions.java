package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;

/**
 * How much an {@link AnswerService} does at once.
 *
 * @param rows the most answers that are decoded at once; default 32
 * @param cacheBytes memory for keys and values of prompts and answers, those of earlier prompts that may come again
 *     among them, also those that adapters there at the start keep beside (X-LoRA, ShadowPEFT), and for the states of
 *     layers that have one (Mamba, linear attention); where it has no room for those of all rows, fewer answers are
 *     decoded at once; default 512 MB
 * @param promptChunk the most tokens of prompts that are computed between two tokens of running answers; default 128
 * @param waiting the most requests that may wait, further ones are refused ({@link OverloadedException}); default 256
 * @param waitingPerClient the most requests of one client that may wait; default 128
 * @param prefixes whether keys and values of prompts are kept, so that a beginning which comes again, such as a system
 *     prompt, is not computed again; default true
 */
public record AnswerServiceOptions(int rows, long cacheBytes, int promptChunk, int waiting, int waitingPerClient,
        boolean prefixes) {
    /** Checks the ranges. */
    public AnswerServiceOptions {
        require("rows", rows);
        require("cacheBytes", cacheBytes);
        require("promptChunk", promptChunk);
        require("waiting", waiting);
        require("waitingPerClient", waitingPerClient);
    }

    private static void require(String name, long value) {
        if (value < 1) {
            throw new ConfigurationException(name + " must be at least 1, got " + value);
        }
    }

    /** The defaults. */
    public static AnswerServiceOptions defaults() {
        return new AnswerServiceOptions(32, 512L << 20, 128, 256, 128, true);
    }

    /** The same with another number of answers at once. */
    public AnswerServiceOptions withRows(int count) {
        return new AnswerServiceOptions(count, cacheBytes, promptChunk, waiting, waitingPerClient, prefixes);
    }

    /** The same with another memory for keys and values. */
    public AnswerServiceOptions withCacheBytes(long bytes) {
        return new AnswerServiceOptions(rows, bytes, promptChunk, waiting, waitingPerClient, prefixes);
    }

    /** The same with another number of tokens of prompts between two tokens of running answers. */
    public AnswerServiceOptions withPromptChunk(int tokens) {
        return new AnswerServiceOptions(rows, cacheBytes, tokens, waiting, waitingPerClient, prefixes);
    }

    /**
     * The same with other limits of waiting requests.
     *
     * @param all the most requests in all
     * @param perClient the most requests of one client
     */
    public AnswerServiceOptions withWaiting(int all, int perClient) {
        return new AnswerServiceOptions(rows, cacheBytes, promptChunk, all, perClient, prefixes);
    }

    /** The same, with keys and values of prompts kept for reuse or not. */
    public AnswerServiceOptions withPrefixes(boolean keep) {
        return new AnswerServiceOptions(rows, cacheBytes, promptChunk, waiting, waitingPerClient, keep);
    }
}
