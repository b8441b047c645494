package io.peft4j.models.architecture.internal;

import io.peft4j.models.architecture.support.SentencePooling;

/** A network whose hidden states may become one vector. */
public interface PooledNetwork {
    /** How they do. */
    SentencePooling pooling();
}
