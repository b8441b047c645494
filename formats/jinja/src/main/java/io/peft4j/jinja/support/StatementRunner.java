package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Branch;
import io.peft4j.jinja.support.Statement.NameTarget;
import io.peft4j.jinja.support.Statement.NamespaceTarget;
import io.peft4j.jinja.support.Statement.Target;
import io.peft4j.jinja.support.Statement.TupleTarget;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** Runs statements: writes text, keeps scopes, loops and calls macros. */
final class StatementRunner implements Statement.Visitor<StatementRunner.Flow> {
    private final Runtime runtime;
    private final Budget budget;
    private final ExpressionEvaluator expressions;
    private Output out;

    /** How a statement ended. */
    enum Flow {
        NEXT, BREAK, CONTINUE
    }

    StatementRunner(Runtime runtime, Scope scope) {
        this.runtime = runtime;
        this.budget = runtime.budget();
        this.expressions = new ExpressionEvaluator(runtime, scope);
        this.out = new Output(budget);
    }

    /** Runs a whole template and gives what it wrote. */
    String render(List<Statement> template) {
        run(template);
        return out.toString();
    }

    Object evaluate(Expression expression) {
        return expressions.evaluate(expression);
    }

    private Flow run(List<Statement> statements) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (Statement statement : statements) {
            runtime.at(statement.line());
            flow = statement.accept(this);
            if (flow != Flow.NEXT) {
                break;
            }
        }
        budget.leave();
        return flow;
    }

    private Flow runIn(Scope scope, List<Statement> body) {
        Scope outer = expressions.scope();
        expressions.scope(scope);
        Flow flow = run(body);
        expressions.scope(outer);
        return flow;
    }

    /** Runs a body as a function: in a scope, after a preparation in it, giving what it wrote. */
    String capture(Scope scope, List<Statement> body, Runnable preparation) {
        Scope outer = expressions.scope();
        Output outerOut = out;
        expressions.scope(scope);
        out = new Output(budget);
        preparation.run();
        run(body);
        String text = out.toString();
        out = outerOut;
        expressions.scope(outer);
        return text;
    }

    @Override
    public Flow text(Statement.Text node) {
        out.append(node.text());
        return Flow.NEXT;
    }

    @Override
    public Flow print(Statement.Print node) {
        out.append(runtime.str(expressions.evaluate(node.value())));
        return Flow.NEXT;
    }

    @Override
    public Flow choose(Statement.If node) {
        for (Branch branch : node.branches()) {
            if (Types.truth(expressions.evaluate(branch.condition()))) {
                return run(branch.body());
            }
        }
        return run(node.otherwise());
    }

    @Override
    public Flow loop(Statement.For node) {
        return loop(node, expressions.evaluate(node.iterable()), 0);
    }

    private Flow loop(Statement.For node, Object iterable, int depth0) {
        Scope outer = expressions.scope();
        boolean sized = node.condition() == null && Types.hasLength(iterable);
        Iterator<Object> items = runtime.iterate(iterable);
        if (node.condition() != null) {
            items = new Selected(items, node, outer);
        }
        LoopState.Recursion recursion = node.recursive()
                ? (inner, depth) -> capture(outer, List.of(), () -> loop(node, inner, depth)) : null;
        LoopState state = new LoopState(items, sized ? Types.length(iterable) : -1, depth0, recursion);
        boolean completed = false;
        while (state.advance()) {
            Scope scope = new Scope(outer);
            scope.set("loop", state);
            assign(node.target(), state.current(), scope);
            Flow flow = runIn(scope, node.body());
            if (flow == Flow.BREAK) {
                break;
            }
            completed |= flow == Flow.NEXT;
        }
        // As in Jinja, "else" also runs where every iteration was cut short.
        return completed ? Flow.NEXT : runIn(new Scope(outer), node.otherwise());
    }

    /** The items for which the condition of a loop holds, tested one by one as they are asked for. */
    private final class Selected implements Iterator<Object> {
        private final Iterator<Object> items;
        private final Statement.For node;
        private final Scope outer;
        private Object next;
        private boolean found;

        Selected(Iterator<Object> items, Statement.For node, Scope outer) {
            this.items = items;
            this.node = node;
            this.outer = outer;
        }

        @Override
        public boolean hasNext() {
            while (!found && items.hasNext()) {
                next = items.next();
                Scope current = expressions.scope();
                Scope scope = new Scope(outer);
                assign(node.target(), next, scope);
                expressions.scope(scope);
                found = Types.truth(expressions.evaluate(node.condition()));
                expressions.scope(current);
            }
            return found;
        }

        @Override
        public Object next() {
            if (!hasNext()) {
                throw new NoSuchElementException();
            }
            found = false;
            return next;
        }
    }

    private void assign(Target target, Object value, Scope scope) {
        if (target instanceof NameTarget name) {
            scope.set(name.name(), value);
        } else if (target instanceof NamespaceTarget attribute) {
            Object namespace = scope.get(attribute.namespace());
            if (namespace instanceof Undefined undefined) {
                throw undefined.error();
            }
            if (!(namespace instanceof Namespace owner)) {
                throw new TemplateError("cannot assign the attribute '" + attribute.attribute()
                        + "': only a namespace() can be changed, not " + Types.name(namespace));
            }
            owner.set(attribute.attribute(), value);
        } else if (target instanceof TupleTarget tuple) {
            unpack(tuple, value, scope);
        }
    }

    private void unpack(TupleTarget tuple, Object value, Scope scope) {
        List<Object> items = new ArrayList<>();
        Iterator<Object> source = runtime.iterate(value);
        int wanted = tuple.targets().size();
        while (source.hasNext() && items.size() <= wanted) {
            items.add(source.next());
        }
        if (items.size() != wanted) {
            throw new TemplateError(items.size() < wanted
                    ? "not enough values to unpack (expected " + wanted + ", got " + items.size() + ")"
                    : "too many values to unpack (expected " + wanted + ")");
        }
        for (int i = 0; i < wanted; i++) {
            assign(tuple.targets().get(i), items.get(i), scope);
        }
    }

    @Override
    public Flow assign(Statement.Assign node) {
        Object value = expressions.evaluate(node.value());
        assign(node.target(), value, expressions.scope());
        return Flow.NEXT;
    }

    @Override
    public Flow assignBlock(Statement.AssignBlock node) {
        Output outerOut = out;
        out = new Output(budget);
        Flow flow = runIn(new Scope(expressions.scope()), node.body());
        String text = out.toString();
        out = outerOut;
        if (flow == Flow.NEXT) {
            Object value = node.filter() == null ? text : expressions.filterBlock(node.filter(), text);
            assign(node.target(), value, expressions.scope());
        }
        return flow;
    }

    @Override
    public Flow macro(Statement.MacroDefinition node) {
        Scope scope = expressions.scope();
        scope.set(node.name(), new Macro(node.name(), node.signature(), node.body(), scope, this));
        return Flow.NEXT;
    }

    @Override
    public Flow callBlock(Statement.CallBlock node) {
        Macro caller = new Macro("caller", node.signature(), node.body(), expressions.scope(), this);
        out.append(runtime.str(expressions.call(node.call(), "caller", caller)));
        return Flow.NEXT;
    }

    @Override
    public Flow filterBlock(Statement.FilterBlock node) {
        Output outerOut = out;
        out = new Output(budget);
        Flow flow = runIn(new Scope(expressions.scope()), node.body());
        String text = out.toString();
        out = outerOut;
        if (flow == Flow.NEXT) {
            out.append(runtime.str(expressions.filterBlock(node.filter(), text)));
        }
        return flow;
    }

    @Override
    public Flow with(Statement.With node) {
        Scope scope = new Scope(expressions.scope());
        for (int i = 0; i < node.targets().size(); i++) {
            assign(node.targets().get(i), expressions.evaluate(node.values().get(i)), scope);
        }
        return runIn(scope, node.body());
    }

    @Override
    public Flow scope(Statement.Scoped node) {
        return runIn(new Scope(expressions.scope()), node.body());
    }

    @Override
    public Flow jump(Statement.Jump node) {
        return node.leave() ? Flow.BREAK : Flow.CONTINUE;
    }
}
