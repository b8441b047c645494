package io.peft4j.jinja.support;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An expression of a template, which evaluates itself. Every node knows its line, so that an error can name it. */
sealed interface Expression {
    int line();

    /** Its value; for others by {@link Runtime#evaluate}, which counts the work. */
    Object evaluate(Runtime runtime);

    /** A literal: null, Boolean, Long, Double or String. */
    record Constant(int line, Object value) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return value;
        }
    }

    record Name(int line, String name) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return runtime.scope().get(name);
        }
    }

    /** {@code [a, b]}. */
    record ListOf(int line, List<Expression> items) implements Expression {
        @Override
        public List<Object> evaluate(Runtime runtime) {
            List<Object> values = new ArrayList<>(items.size());
            items.forEach(item -> values.add(runtime.evaluate(item)));
            return values;
        }
    }

    /** {@code (a, b)}, or {@code a, b} where no bracket is needed. */
    record TupleOf(int line, List<Expression> items) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return Tuple.of(new ListOf(line, items).evaluate(runtime));
        }
    }

    /** {@code {a: b}}: keys and values in order. */
    record DictOf(int line, List<Expression> keys, List<Expression> values) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Map<Object, Object> dict = new LinkedHashMap<>();
            for (int i = 0; i < keys.size(); i++) {
                Object key = Types.key(runtime.evaluate(keys.get(i)));
                dict.put(key, runtime.evaluate(values.get(i)));
            }
            return dict;
        }
    }

    /** {@code object.name}. */
    record Attribute(int line, Expression object, String name) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return Members.attribute(runtime.evaluate(object), name);
        }
    }

    /** {@code object[key]}. */
    record Item(int line, Expression object, Expression key) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object owner = runtime.evaluate(object);
            return Members.item(owner, runtime.evaluate(key));
        }
    }

    /** {@code object[from:to:step]}; a missing part is null. */
    record Slice(int line, Expression object, Expression from, Expression to, Expression step) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object owner = runtime.evaluate(object);
            return Members.slice(owner, optional(from, runtime), optional(to, runtime), optional(step, runtime),
                    runtime.budget());
        }

        private static Object optional(Expression expression, Runtime runtime) {
            return expression == null ? null : runtime.evaluate(expression);
        }
    }

    /** The arguments of a call: positional, named, and the unpacked ones ({@code *a}, {@code **b}) or null. */
    record CallArguments(List<Expression> positional, List<NamedArgument> named, Expression unpacked,
            Expression unpackedNamed) {
        static final CallArguments NONE = new CallArguments(List.of(), List.of(), null, null);

        Arguments evaluate(Runtime runtime) {
            List<Object> values = new ArrayList<>();
            positional.forEach(argument -> values.add(runtime.evaluate(argument)));
            Map<String, Object> byName = new LinkedHashMap<>();
            named.forEach(argument -> byName.put(argument.name(), runtime.evaluate(argument.value())));
            if (unpacked != null) {
                values.addAll(runtime.items(runtime.evaluate(unpacked)));
            }
            if (unpackedNamed != null) {
                if (!(runtime.evaluate(unpackedNamed) instanceof Map<?, ?> map)) {
                    throw new TemplateError("argument after ** must be a mapping");
                }
                map.forEach((key, value) -> byName.put(runtime.str(key), value));
            }
            return new Arguments(values, byName);
        }
    }

    /** {@code name=value} in a call. */
    record NamedArgument(String name, Expression value) {
    }

    /** {@code function(arguments)}. */
    record Call(int line, Expression function, CallArguments arguments) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object called = runtime.evaluate(function);
            return invoke(called, arguments.evaluate(runtime), runtime);
        }

        /** The call with a {@code caller} among its arguments. */
        Object with(Macro caller, Runtime runtime) {
            Object called = runtime.evaluate(function);
            Arguments own = arguments.evaluate(runtime);
            own.named().put(Macro.CALLER, caller);
            return invoke(called, own, runtime);
        }

        private Object invoke(Object called, Arguments own, Runtime runtime) {
            runtime.at(line);
            if (called instanceof Undefined undefined) {
                throw undefined.error();
            }
            if (!(called instanceof TemplateFunction callable)) {
                throw new TemplateError("'" + Types.name(called) + "' object is not callable");
            }
            return callable.call(runtime, own);
        }
    }

    /** {@code value | name(arguments)}. */
    record Filter(int line, Expression value, String name, CallArguments arguments) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object filtered = runtime.evaluate(value);
            Arguments own = arguments.evaluate(runtime);
            runtime.at(line);
            return runtime.filter(name, filtered, own);
        }
    }

    /** {@code value is name(arguments)}. */
    record Test(int line, Expression value, String name, CallArguments arguments) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object tested = runtime.evaluate(value);
            Arguments own = arguments.evaluate(runtime);
            runtime.at(line);
            return runtime.test(name, tested, own);
        }
    }

    /** {@code not value}. */
    record Not(int line, Expression value) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return !Types.truth(runtime.evaluate(value));
        }
    }

    /** {@code a and b and c}, or {@code or}; gives the operand that decides. */
    record Logic(int line, boolean and, List<Expression> operands) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object value = null;
            for (Expression operand : operands) {
                value = runtime.evaluate(operand);
                if (Types.truth(value) != and) {
                    return value;
                }
            }
            return value;
        }
    }

    /** {@code then if condition else otherwise}; {@code otherwise} is null where it is missing. */
    record Conditional(int line, Expression condition, Expression then, Expression otherwise) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            if (Types.truth(runtime.evaluate(condition))) {
                return runtime.evaluate(then);
            }
            return otherwise != null ? runtime.evaluate(otherwise) : new Undefined(
                    "the inline if-expression evaluated to false and no else section was defined");
        }
    }

    /** {@code first op operand op operand ...}: true if each neighbouring pair is. */
    record Comparison(int line, Expression first, List<ComparisonPart> parts) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object left = runtime.evaluate(first);
            for (ComparisonPart part : parts) {
                Object right = runtime.evaluate(part.operand());
                runtime.at(line);
                if (!part.operator().holds(left, right, runtime.budget())) {
                    return false;
                }
                left = right;
            }
            return true;
        }
    }

    /** One operator of a comparison with its right operand. */
    record ComparisonPart(PyCompare.Comparator operator, Expression operand) {
    }

    /** {@code -value} or {@code +value}. */
    record Unary(int line, boolean negative, Expression value) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            return Arithmetic.sign(runtime.evaluate(value), negative);
        }
    }

    /** {@code first op operand op operand ...} with operators of one precedence, evaluated from the left. */
    record Binary(int line, Expression first, List<BinaryPart> parts) implements Expression {
        @Override
        public Object evaluate(Runtime runtime) {
            Object value = runtime.evaluate(first);
            for (BinaryPart part : parts) {
                Object operand = runtime.evaluate(part.operand());
                runtime.at(line);
                value = Arithmetic.apply(part.operator(), value, operand, runtime);
            }
            return value;
        }
    }

    record BinaryPart(Operator operator, Expression operand) {
    }

    /** The arithmetic operators, each with its sign for error messages. */
    enum Operator {
        ADD("+"), SUBTRACT("-"), MULTIPLY("*"), DIVIDE("/"), FLOOR_DIVIDE("//"), MODULO("%");

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
        public Object evaluate(Runtime runtime) {
            Output out = new Output(runtime.budget());
            parts.forEach(part -> out.append(runtime.str(runtime.evaluate(part))));
            return out.toString();
        }
    }
}
