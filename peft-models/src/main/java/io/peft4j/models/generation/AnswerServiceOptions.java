package io.peft4j.models.generation;

import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;

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
@With
public record AnswerServiceOptions(@Option(range = "[1,)") int rows, @Option(range = "[1,)") long cacheBytes,
        @Option(range = "[1,)") int promptChunk, @Option(range = "[1,)") int waiting,
        @Option(range = "[1,)") int waitingPerClient,
        boolean prefixes) implements AnswerServiceOptionsWith {
    /** Checks the ranges. */
    public AnswerServiceOptions {
        AnswerServiceOptionsWith.check(rows, cacheBytes, promptChunk, waiting, waitingPerClient);
    }

    /** The defaults. */
    public static AnswerServiceOptions defaults() {
        return new AnswerServiceOptions(32, 512L << 20, 128, 256, 128, true);
    }

    /**
     * The same with other limits of waiting requests.
     *
     * @param all the most requests in all
     * @param perClient the most requests of one client
     */
    public AnswerServiceOptions withWaiting(int all, int perClient) {
        return withWaiting(all).withWaitingPerClient(perClient);
    }
}
