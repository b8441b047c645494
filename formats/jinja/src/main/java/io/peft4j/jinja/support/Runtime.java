package io.peft4j.jinja.support;

import java.time.Clock;
import java.util.Iterator;
import java.util.List;

/** What one rendering carries along: its budget, the line it is at and the clock. */
final class Runtime {
    private final Budget budget;
    private final Clock clock;
    private int line;

    Runtime(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
    }

    Budget budget() {
        return budget;
    }

    Clock clock() {
        return clock;
    }

    /** The line that is being evaluated; 0 before the first. */
    int line() {
        return line;
    }

    void at(int newLine) {
        line = newLine;
    }

    /** {@link Types#items}, charged. */
    List<Object> items(Object value) {
        if (Types.hasLength(value)) {
            budget.charge(Types.length(value));
        }
        return Types.items(value);
    }

    /** {@link Types#iterate}, charged. */
    Iterator<Object> iterate(Object value) {
        return value instanceof Generator generator ? generator.iterator() : items(value).iterator();
    }

    String str(Object value) {
        return PyText.str(value, budget);
    }

    /** Applies a filter by its name. */
    Object filter(String name, Object value, Arguments arguments) {
        Filter filter = Filters.find(name);
        if (filter == null) {
            throw new TemplateError("no filter named '" + name + "'");
        }
        return filter.apply(this, value, arguments);
    }

    /** Applies a test by its name. */
    boolean test(String name, Object value, Arguments arguments) {
        Test test = Tests.find(name);
        if (test == null) {
            throw new TemplateError("no test named '" + name + "'");
        }
        return test.holds(this, value, arguments);
    }

    /** A function behind {@code |}. */
    interface Filter {
        Object apply(Runtime runtime, Object value, Arguments arguments);
    }

    /** A function behind {@code is}. */
    interface Test {
        boolean holds(Runtime runtime, Object value, Arguments arguments);
    }
}
