package io.peft4j.models.generation;

import io.peft4j.core.model.Network;
import io.peft4j.core.nn.KvCache;

/**
 * How keys and values, and the states of layers that have one, share the memory of a service. An answer has two states
 * while a step computes the next one. States take at most three quarters.
 *
 * @param rows answers at once
 * @param kept pages of earlier prompts behind which states are kept
 * @param pages pages of keys and values
 */
record CacheShare(int rows, int kept, int pages) {
    /** The most pages behind which states are kept. */
    private static final int MOST_KEPT = 16;

    /**
     * The share for a network; as many pages as fit, or as all rows can fill.
     *
     * @param beside of adapters that run layers a second time how many
     */
    static CacheShare of(Network network, AnswerServiceOptions options, int... beside) {
        long rowBytes;
        long stateBytes;
        try (KvCache probe = network.causal().newCache(1)) {
            for (int i = 0; i < beside.length; i++) {
                probe.beside("" + i, beside[i]);
            }
            rowBytes = Math.max(1, probe.bytes());
            stateBytes = probe.stateBytes();
        }
        long states = stateBytes == 0 ? Integer.MAX_VALUE : options.cacheBytes() / 4 * 3 / stateBytes;
        int kept = (int) Math.min(MOST_KEPT, states / 8);
        int rows = (int) Math.max(1, Math.min(options.rows(), (states - kept) / 2));
        long most = (long) rows * CachePages.needed(network.description().maxPositions() + 1);
        long left = Math.max(0, options.cacheBytes() - stateBytes * (2L * rows + kept));
        return new CacheShare(rows, kept, (int) Math.min(most, left / rowBytes / CachePages.PAGE));
    }

    /** For a network that computes no answers. */
    CacheShare withoutPages() {
        return new CacheShare(rows, kept, 1);
    }
}
