package io.peft4j.models.generation.internal;

import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.peft.AdapterLease;
import java.util.List;
import java.util.Optional;

/**
 * Who answers: the base, or an adapter as it was when it was asked.
 *
 * @param version equal for the same values ({@link AdapterLease#version}); the base has one of its own
 * @param alone whether its rows run in passes of their own
 * @param before the rows of the cache that come before all of its sequences
 * @param firstPosition the position of a sequence's first token
 * @param isKept whether keys and values may serve later requests
 */
record AdapterVariant(Object version, boolean alone, List<Range> before, int firstPosition, boolean isKept) {
    /** Stands for the base. */
    static final Object BASE = "base";

    /** The base alone, or an adapter that shares passes with others. */
    static AdapterVariant mixing(Optional<AdapterLease> adapter, boolean isKept) {
        return new AdapterVariant(adapter.map(AdapterLease::version).orElse(BASE), false, List.of(), 0, isKept);
    }
}
