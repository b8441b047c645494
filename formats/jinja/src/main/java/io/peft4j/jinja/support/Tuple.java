package io.peft4j.jinja.support;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A Python tuple. Unlike a list it can be a key, as long as it holds no other tuple. */
final class Tuple {
    private final List<Object> items;
    private final List<String> names;

    private Tuple(List<Object> items, List<String> names) {
        this.items = items;
        this.names = names;
    }

    static Tuple of(Object... items) {
        return new Tuple(Collections.unmodifiableList(Arrays.asList(items)), List.of());
    }

    static Tuple of(List<Object> items) {
        return of(items.toArray());
    }

    /** A tuple whose items also have names. */
    static Tuple named(List<String> names, Object... items) {
        return new Tuple(of(items).items, names);
    }

    List<Object> items() {
        return items;
    }

    /** The index of a named item, or -1. */
    int indexOf(String name) {
        return names.indexOf(name);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tuple tuple && items.equals(tuple.items);
    }

    @Override
    public int hashCode() {
        return items.hashCode();
    }
}
