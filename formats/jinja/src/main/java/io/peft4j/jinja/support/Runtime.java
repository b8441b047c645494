package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Flow;
import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What one rendering carries along: its budget and clock, the line it is at, its variables and what it writes to. */
final class Runtime {
    private final Budget budget;
    private final Clock clock;
    private int line;
    private Scope scope;
    private Output out;

    Runtime(Budget budget, Clock clock) {
        this.budget = budget;
        this.clock = clock;
        this.scope = new Scope(Globals.scope());
        this.out = new Output(budget);
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

    /** The variables of the innermost block. */
    Scope scope() {
        return scope;
    }

    /** What is written to: the output of the template, or of a block whose text is a value. */
    Output out() {
        return out;
    }

    Object evaluate(Expression expression) {
        budget.enter();
        line = expression.line();
        Object value = expression.evaluate(this);
        budget.leave();
        return value;
    }

    Flow run(List<Statement> statements) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (Statement statement : statements) {
            line = statement.line();
            flow = statement.run(this);
            if (flow != Flow.NEXT) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    /** Does something with the variables of another scope. */
    <T> T in(Scope inner, Supplier<T> work) {
        Scope outer = scope;
        scope = inner;
        T result = work.get();
        scope = outer;
        return result;
    }

    /** Runs a body in a scope and hands on what it wrote, unless it leaves the loop around it. */
    Flow capture(Scope inner, List<Statement> body, Consumer<String> written) {
        Output outer = out;
        Output own = new Output(budget);
        out = own;
        Flow flow = in(inner, () -> run(body));
        out = outer;
        if (flow == Flow.NEXT) {
            written.accept(own.toString());
        }
        return flow;
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
            throw TemplateError.unsupported("the filter '" + name + "'");
        }
        return filter.apply(this, value, arguments);
    }

    /** Applies a test by its name. */
    boolean test(String name, Object value, Arguments arguments) {
        Test test = Tests.find(name);
        if (test == null) {
            throw TemplateError.unsupported("the test '" + name + "'");
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
