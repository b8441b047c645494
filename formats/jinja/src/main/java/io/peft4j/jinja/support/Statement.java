package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** A statement of a template, which runs itself. */
sealed interface Statement {
    int line();

    /** Writes and assigns what it says. */
    Flow run(Runtime runtime);

    /** How a statement ended. */
    enum Flow {
        NEXT, BREAK, CONTINUE
    }

    /** Text outside all tags. */
    record Text(int line, String text) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            runtime.out().append(text);
            return Flow.NEXT;
        }
    }

    /** {@code {{ value }}}. */
    record Print(int line, Expression value) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            runtime.out().append(runtime.str(runtime.evaluate(value)));
            return Flow.NEXT;
        }
    }

    /** {@code if}, {@code elif} and {@code else}: the first branch whose condition holds. */
    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            for (Branch branch : branches) {
                if (Types.truth(runtime.evaluate(branch.condition()))) {
                    return runtime.run(branch.body());
                }
            }
            return runtime.run(otherwise);
        }
    }

    /** One branch of an {@link If}. */
    record Branch(Expression condition, List<Statement> body) {
    }

    /** {@code for target in iterable if condition}; the condition is null where it is missing. */
    record For(int line, Target target, Expression iterable, Expression condition, List<Statement> body,
            List<Statement> otherwise) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            Object over = runtime.evaluate(iterable);
            Scope outer = runtime.scope();
            boolean sized = condition == null && Types.hasLength(over);
            Iterator<Object> items = runtime.iterate(over);
            LoopState state = new LoopState(condition == null ? items : new Selected(items, this, runtime),
                    sized ? Types.length(over) : -1);
            boolean completed = false;
            while (state.advance()) {
                Scope scope = new Scope(outer);
                scope.set("loop", state);
                target.assign(state.current(), scope, runtime);
                Flow flow = runtime.in(scope, () -> runtime.run(body));
                if (flow == Flow.BREAK) {
                    break;
                }
                completed |= flow == Flow.NEXT;
            }
            // As in Jinja, "else" also runs where every iteration was cut short.
            return completed ? Flow.NEXT : runtime.in(new Scope(outer), () -> runtime.run(otherwise));
        }
    }

    /** The items for which the condition of a loop holds, tested one by one as they are asked for. */
    final class Selected implements Iterator<Object> {
        private final Iterator<Object> items;
        private final For loop;
        private final Runtime runtime;
        private final Scope outer;
        private Object next;
        private boolean found;

        Selected(Iterator<Object> items, For loop, Runtime runtime) {
            this.items = items;
            this.loop = loop;
            this.runtime = runtime;
            this.outer = runtime.scope();
        }

        @Override
        public boolean hasNext() {
            while (!found && items.hasNext()) {
                next = items.next();
                Scope scope = new Scope(outer);
                loop.target().assign(next, scope, runtime);
                found = Types.truth(runtime.in(scope, () -> runtime.evaluate(loop.condition())));
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

    /** What can stand on the left of an assignment. */
    sealed interface Target {
        void assign(Object value, Scope scope, Runtime runtime);
    }

    /** A plain variable. */
    record NameTarget(String name) implements Target {
        @Override
        public void assign(Object value, Scope scope, Runtime runtime) {
            scope.set(name, value);
        }
    }

    record NamespaceTarget(String namespace, String attribute) implements Target {
        @Override
        public void assign(Object value, Scope scope, Runtime runtime) {
            Object owner = scope.get(namespace);
            if (owner instanceof Undefined undefined) {
                throw undefined.error();
            }
            if (!(owner instanceof Namespace changed)) {
                throw new TemplateError("cannot assign the attribute '" + attribute
                        + "': only a namespace() can be changed, not " + Types.name(owner));
            }
            changed.set(attribute, value);
        }
    }

    /** Several targets, which take the items of a sequence of that length. */
    record TupleTarget(List<Target> targets) implements Target {
        @Override
        public void assign(Object value, Scope scope, Runtime runtime) {
            List<Object> items = new ArrayList<>();
            Iterator<Object> source = runtime.iterate(value);
            int wanted = targets.size();
            while (source.hasNext() && items.size() <= wanted) {
                items.add(source.next());
            }
            if (items.size() != wanted) {
                throw new TemplateError(items.size() < wanted
                        ? "not enough values to unpack (expected " + wanted + ", got " + items.size() + ")"
                        : "too many values to unpack (expected " + wanted + ")");
            }
            for (int i = 0; i < wanted; i++) {
                targets.get(i).assign(items.get(i), scope, runtime);
            }
        }
    }

    /** {@code set target = value}. */
    record Assign(int line, Target target, Expression value) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            Object assigned = runtime.evaluate(value);
            target.assign(assigned, runtime.scope(), runtime);
            return Flow.NEXT;
        }
    }

    /** {@code set target}body{@code endset}. */
    record AssignBlock(int line, Target target, List<Statement> body) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            return runtime.capture(new Scope(runtime.scope()), body,
                    text -> target.assign(text, runtime.scope(), runtime));
        }
    }

    /** {@code macro name(parameters)}. */
    record MacroDefinition(int line, String name, Signature signature, List<Statement> body) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            runtime.scope().set(name, new Macro(name, signature, body, runtime.scope()));
            return Flow.NEXT;
        }
    }

    /**
     * The parameters of a macro or call block.
     *
     * @param names all parameters
     * @param defaults the defaults of the last ones
     * @param takesCaller whether the body uses {@code caller}
     */
    record Signature(List<String> names, List<Expression> defaults, boolean takesCaller) {
    }

    /** {@code call(parameters) function(arguments)}body{@code endcall}: the body is given as {@code caller}. */
    record CallBlock(int line, Signature signature, Expression.Call call, List<Statement> body) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            Macro caller = new Macro(Macro.CALLER, signature, body, runtime.scope());
            runtime.out().append(runtime.str(call.with(caller, runtime)));
            return Flow.NEXT;
        }
    }

    /** {@code filter name}body{@code endfilter}: filters of a hidden variable, which holds the text of the body. */
    record FilterBlock(int line, Expression filtered, List<Statement> body) implements Statement {
        /** No template can have a variable of this name. */
        static final String TEXT = "text of the block";

        @Override
        public Flow run(Runtime runtime) {
            return runtime.capture(new Scope(runtime.scope()), body, text -> {
                Scope scope = new Scope(runtime.scope());
                scope.set(TEXT, text);
                runtime.out().append(runtime.str(runtime.in(scope, () -> runtime.evaluate(filtered))));
            });
        }
    }

    /** A body with variables of its own: {@code generation}. */
    record Scoped(int line, List<Statement> body) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            return runtime.in(new Scope(runtime.scope()), () -> runtime.run(body));
        }
    }

    /** {@code break} or {@code continue}. */
    record Jump(int line, Flow flow) implements Statement {
        @Override
        public Flow run(Runtime runtime) {
            return flow;
        }
    }
}
