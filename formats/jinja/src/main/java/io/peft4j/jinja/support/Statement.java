package io.peft4j.jinja.support;

import java.util.List;

/** A statement of a template. */
sealed interface Statement {
    int line();

    <R> R accept(Visitor<R> visitor);

    /** One method a kind of node. */
    interface Visitor<R> {
        R text(Text node);

        R print(Print node);

        R choose(If node);

        R loop(For node);

        R assign(Assign node);

        R assignBlock(AssignBlock node);

        R macro(MacroDefinition node);

        R callBlock(CallBlock node);

        R filterBlock(FilterBlock node);

        R with(With node);

        R scope(Scoped node);

        R jump(Jump node);
    }

    /** Text that stands outside all tags. */
    record Text(int line, String text) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.text(this);
        }
    }

    /** {@code {{ value }}}. */
    record Print(int line, Expression value) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.print(this);
        }
    }

    /** {@code if}, {@code elif} and {@code else}: the first branch whose condition holds. */
    record If(int line, List<Branch> branches, List<Statement> otherwise) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.choose(this);
        }
    }

    /** One branch of an {@link If}. */
    record Branch(Expression condition, List<Statement> body) {
    }

    /** {@code for target in iterable if condition}; the condition is null where it is missing. */
    record For(int line, Target target, Expression iterable, Expression condition, boolean recursive,
            List<Statement> body, List<Statement> otherwise) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.loop(this);
        }
    }

    /** What can stand on the left of an assignment. */
    sealed interface Target {
    }

    /** A plain variable. */
    record NameTarget(String name) implements Target {
    }

    /** An attribute of a namespace. */
    record NamespaceTarget(int line, String namespace, String attribute) implements Target {
    }

    /** Several targets, which take the items of a sequence of that length. */
    record TupleTarget(int line, List<Target> targets) implements Target {
    }

    /** {@code set target = value}. */
    record Assign(int line, Target target, Expression value) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.assign(this);
        }
    }

    /** {@code set target}body{@code endset}; {@code filter} is null where there is none. */
    record AssignBlock(int line, Target target, Expression.Filter filter, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.assignBlock(this);
        }
    }

    /** {@code macro name(parameters)}. */
    record MacroDefinition(int line, String name, Signature signature, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.macro(this);
        }
    }

    /**
     * The parameters of a macro or call block.
     *
     * @param names all parameters
     * @param defaults the defaults of the last ones
     * @param takesCaller whether the body uses {@code caller}
     * @param takesPositional whether the body uses {@code varargs}
     * @param takesNamed whether the body uses {@code kwargs}
     */
    record Signature(List<String> names, List<Expression> defaults, boolean takesCaller, boolean takesPositional,
            boolean takesNamed) {
    }

    /** {@code call(parameters) function(arguments)}body{@code endcall}: the body is given as {@code caller}. */
    record CallBlock(int line, Signature signature, Expression.Call call, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.callBlock(this);
        }
    }

    /** {@code filter name}body{@code endfilter}. */
    record FilterBlock(int line, Expression.Filter filter, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.filterBlock(this);
        }
    }

    /** {@code with name = value, ...}: variables of the body alone. */
    record With(int line, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.with(this);
        }
    }

    /** A body with variables of its own: {@code generation}. */
    record Scoped(int line, List<Statement> body) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.scope(this);
        }
    }

    /** {@code break} or {@code continue}. */
    record Jump(int line, boolean leave) implements Statement {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.jump(this);
        }
    }
}
