package io.peft4j.jinja.support;

import java.util.List;

/** An expression of a template. Every node knows its line, so that an error can name it. */
sealed interface Expression {
    int line();

    <R> R accept(Visitor<R> visitor);

    /** One method a kind of node. */
    interface Visitor<R> {
        R constant(Constant node);

        R name(Name node);

        R list(ListOf node);

        R tuple(TupleOf node);

        R dict(DictOf node);

        R attribute(Attribute node);

        R item(Item node);

        R slice(SliceOf node);

        R call(Call node);

        R filter(Filter node);

        R test(Test node);

        R not(Not node);

        R logic(Logic node);

        R conditional(Conditional node);

        R comparison(Comparison node);

        R unary(Unary node);

        R binary(Binary node);

        R concat(Concat node);
    }

    /** A literal: null, Boolean, Long, BigInteger, Double or String. */
    record Constant(int line, Object value) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.constant(this);
        }
    }

    /** A variable. */
    record Name(int line, String name) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.name(this);
        }
    }

    /** {@code [a, b]}. */
    record ListOf(int line, List<Expression> items) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.list(this);
        }
    }

    /** {@code (a, b)}, or {@code a, b} where no bracket is needed. */
    record TupleOf(int line, List<Expression> items) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.tuple(this);
        }
    }

    /** {@code {a: b}}: keys and values in order. */
    record DictOf(int line, List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.dict(this);
        }
    }

    /** {@code object.name}. */
    record Attribute(int line, Expression object, String name) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.attribute(this);
        }
    }

    /** {@code object[key]}. */
    record Item(int line, Expression object, Expression key) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.item(this);
        }
    }

    /** {@code from:to:step} inside square brackets; a missing part is null. */
    record SliceOf(int line, Expression from, Expression to, Expression step) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.slice(this);
        }
    }

    /** The arguments of a call: positional, named, and the unpacked ones ({@code *a}, {@code **b}) or null. */
    record CallArguments(List<Expression> positional, List<NamedArgument> named, Expression unpacked,
            Expression unpackedNamed) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);
    }

    /** {@code name=value} in a call. */
    record NamedArgument(String name, Expression value) {
    }

    /** {@code function(arguments)}. */
    record Call(int line, Expression function, CallArguments arguments) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.call(this);
        }
    }

    /** {@code value | name(arguments)}; the value is null where a block is filtered. */
    record Filter(int line, Expression value, String name, CallArguments arguments) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.filter(this);
        }
    }

    /** {@code value is name(arguments)}. */
    record Test(int line, Expression value, String name, CallArguments arguments) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.test(this);
        }
    }

    /** {@code not value}. */
    record Not(int line, Expression value) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.not(this);
        }
    }

    /** {@code a and b and c}, or {@code or}; gives the operand that decides. */
    record Logic(int line, boolean and, List<Expression> operands) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.logic(this);
        }
    }

    /** {@code then if condition else otherwise}; {@code otherwise} is null where it is missing. */
    record Conditional(int line, Expression condition, Expression then, Expression otherwise) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.conditional(this);
        }
    }

    /** {@code first op operand op operand ...}: true if each neighbouring pair is. */
    record Comparison(int line, Expression first, List<ComparisonPart> parts) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.comparison(this);
        }
    }

    /** One operator of a comparison with what stands on its right. */
    record ComparisonPart(Comparator operator, Expression operand) {
    }

    /** The comparison operators. */
    enum Comparator {
        EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, IN, NOT_IN
    }

    /** {@code -value} or {@code +value}. */
    record Unary(int line, boolean negative, Expression value) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.unary(this);
        }
    }

    /** {@code first op operand op operand ...} with operators of one precedence, evaluated from the left. */
    record Binary(int line, Expression first, List<BinaryPart> parts) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.binary(this);
        }
    }

    /** One operator with what stands on its right. */
    record BinaryPart(Operator operator, Expression operand) {
    }

    /** The arithmetic operators, each with its sign for error messages. */
    enum Operator {
        ADD("+"), SUBTRACT("-"), MULTIPLY("*"), DIVIDE("/"), FLOOR_DIVIDE("//"), MODULO("%"), POWER("**");

        private final String sign;

        Operator(String sign) {
            this.sign = sign;
        }

        String sign() {
            return sign;
        }
    }

    /** {@code a ~ b ~ c}: the texts joined. */
    record Concat(int line, List<Expression> parts) implements Expression {
        @Override
        public <R> R accept(Visitor<R> visitor) {
            return visitor.concat(this);
        }
    }
}
