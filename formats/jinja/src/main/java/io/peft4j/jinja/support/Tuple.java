package io.peft4j.jinja.support;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A Python tuple. Unlike a list it can be a key, as long as it holds no other tuple. */
record Tuple(List<Object> items) {
    static Tuple of(Object... items) {
        return new Tuple(Collections.unmodifiableList(Arrays.asList(items)));
    }

    static Tuple of(List<Object> items) {
        return of(items.toArray());
    }
}
