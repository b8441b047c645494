package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * The variable {@code loop} inside a {@code for}. It looks ahead only when it is asked about the next item or the
 * length, so that a condition of the loop is evaluated item by item.
 */
final class LoopState {
    private static final Object NOTHING = new Object();
    private static final Set<String> UNSUPPORTED = Set.of("cycle", "changed", "depth", "depth0");
    private Iterator<Object> rest;
    private Object ahead = NOTHING;
    private Object current = NOTHING;
    private Object previous = NOTHING;
    private long index0 = -1;
    private long length;

    /**
     * A loop before its first item.
     *
     * @param items what it walks over
     * @param length how many there are; -1 if that is not known
     */
    LoopState(Iterator<Object> items, long length) {
        this.rest = items;
        this.length = length;
    }

    /** Moves to the next item; false if there is none. */
    boolean advance() {
        Object next = peek();
        if (next == NOTHING) {
            return false;
        }
        ahead = NOTHING;
        previous = current;
        current = next;
        index0++;
        return true;
    }

    Object current() {
        return current;
    }

    long index() {
        return index0 + 1;
    }

    private Object peek() {
        if (ahead == NOTHING && rest.hasNext()) {
            ahead = rest.next();
        }
        return ahead;
    }

    long length() {
        if (length < 0) {
            List<Object> remaining = new ArrayList<>();
            rest.forEachRemaining(remaining::add);
            rest = remaining.iterator();
            length = remaining.size() + index() + (ahead == NOTHING ? 0 : 1);
        }
        return length;
    }

    /** The attribute of a name; {@link Members#MISSING} if there is none. */
    Object attribute(String name) {
        if (UNSUPPORTED.contains(name)) {
            throw TemplateError.unsupported("loop." + name);
        }
        return switch (name) {
            case "index" -> index();
            case "index0" -> index0;
            case "revindex" -> length() - index0;
            case "revindex0" -> length() - index();
            case "first" -> index0 == 0;
            case "last" -> peek() == NOTHING;
            case "length" -> length();
            case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : previous;
            case "nextitem" -> peek() == NOTHING ? new Undefined("there is no next item") : ahead;
            default -> Members.MISSING;
        };
    }
}
