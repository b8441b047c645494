package io.peft4j.methods;

import io.peft4j.core.peft.PeftMethodContract.Base;
import io.peft4j.core.peft.PeftMethodContract.Case;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.PeftConfig;

/** Sizes of {@link TinyNetwork}, for closed formulas, and short forms of the contract's cases. */
final class Sizes {
    static final int V = TinyNetwork.VOCABULARY;
    static final int H = TinyNetwork.HIDDEN;
    static final int INNER = TinyNetwork.INNER;
    static final int KEYS = TinyNetwork.KEYS;
    static final int LAYERS = TinyNetwork.LAYERS;

    private Sizes() {
    }

    /** A case that begins as the base and can be merged. */
    static Case at(Base base, String name, PeftConfig config, long parameters) {
        return new Case(name, base, config, true, true, parameters);
    }

    /** A case that begins elsewhere and can be merged. */
    static Case moved(Base base, String name, PeftConfig config, long parameters) {
        return new Case(name, base, config, false, true, parameters);
    }
}
