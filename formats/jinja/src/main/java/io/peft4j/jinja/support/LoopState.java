package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * The variable {@code loop} inside a {@code for}. It looks ahead only when it is asked about the next item or the
 * length, so that a condition of the loop is evaluated item by item.
 */
final class LoopState implements TemplateFunction {
    private static final Object NOTHING = new Object();

    private final Recursion recursion;
    private final int depth0;
    private Iterator<Object> rest;
    private Object ahead = NOTHING;
    private Object current = NOTHING;
    private Object previous = NOTHING;
    private List<Object> lastChanged;
    private long index0 = -1;
    private long length;

    /** Runs the same loop over other items, for {@code recursive}. */
    interface Recursion {
        String run(Object iterable, int depth0);
    }

    /**
     * A loop before its first item.
     *
     * @param items what it walks over
     * @param length how many there are; -1 if that is not known
     * @param depth0 how many recursive loops are around it
     * @param recursion null if the loop is not recursive
     */
    LoopState(Iterator<Object> items, long length, int depth0, Recursion recursion) {
        this.rest = items;
        this.length = length;
        this.depth0 = depth0;
        this.recursion = recursion;
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
        return switch (name) {
            case "index" -> index();
            case "index0" -> index0;
            case "revindex" -> length() - index0;
            case "revindex0" -> length() - index();
            case "first" -> index0 == 0;
            case "last" -> peek() == NOTHING;
            case "length" -> length();
            case "depth" -> depth0 + 1L;
            case "depth0" -> (long) depth0;
            case "previtem" -> index0 == 0 ? new Undefined("there is no previous item") : previous;
            case "nextitem" -> peek() == NOTHING ? new Undefined("there is no next item") : ahead;
            case "cycle" -> (TemplateFunction) (runtime, arguments) -> cycle(arguments.positional());
            case "changed" -> (TemplateFunction) (runtime, arguments) -> changed(arguments.positional(), runtime);
            default -> Members.MISSING;
        };
    }

    private Object cycle(List<Object> values) {
        if (values.isEmpty()) {
            throw new TemplateError("no items for cycling given");
        }
        return values.get((int) (index0 % values.size()));
    }

    private Object changed(List<Object> values, Runtime runtime) {
        boolean same = lastChanged != null && PyCompare.equal(lastChanged, values, runtime.budget());
        lastChanged = values;
        return !same;
    }

    @Override
    public Object call(Runtime runtime, Arguments arguments) {
        if (recursion == null) {
            throw new TemplateError("the loop must be marked 'recursive' to be called");
        }
        return recursion.run(arguments.bind("loop", 1, "iterable").get(0, null), depth0 + 1);
    }
}
