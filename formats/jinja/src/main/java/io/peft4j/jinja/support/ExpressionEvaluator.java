package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.BinaryPart;
import io.peft4j.jinja.support.Expression.CallArguments;
import io.peft4j.jinja.support.Expression.Comparator;
import io.peft4j.jinja.support.Expression.ComparisonPart;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Evaluates expressions in a scope. */
final class ExpressionEvaluator implements Expression.Visitor<Object> {
    private final Runtime runtime;
    private final Budget budget;
    private Scope scope;
    /** What a filter without a value of its own is applied to: the text of a block. */
    private Object blockText;

    ExpressionEvaluator(Runtime runtime, Scope scope) {
        this.runtime = runtime;
        this.budget = runtime.budget();
        this.scope = scope;
    }

    Scope scope() {
        return scope;
    }

    void scope(Scope newScope) {
        scope = newScope;
    }

    Object evaluate(Expression expression) {
        budget.enter();
        runtime.at(expression.line());
        Object value = expression.accept(this);
        budget.leave();
        return value;
    }

    /** Applies the filters of a block to its text. */
    Object filterBlock(Expression.Filter filter, String text) {
        blockText = text;
        return evaluate(filter);
    }

    /** Calls a function with one more named argument than the node has. */
    Object call(Expression.Call node, String name, Object value) {
        Object function = evaluate(node.function());
        Arguments arguments = arguments(node.arguments());
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        named.put(name, value);
        return invoke(node, function, new Arguments(arguments.positional(), named));
    }

    @Override
    public Object constant(Expression.Constant node) {
        return node.value();
    }

    @Override
    public Object name(Expression.Name node) {
        return scope.get(node.name());
    }

    @Override
    public Object list(Expression.ListOf node) {
        return evaluateAll(node.items());
    }

    @Override
    public Object tuple(Expression.TupleOf node) {
        return Tuple.of(evaluateAll(node.items()));
    }

    private List<Object> evaluateAll(List<Expression> expressions) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression));
        }
        return values;
    }

    @Override
    public Object dict(Expression.DictOf node) {
        Map<Object, Object> dict = new LinkedHashMap<>();
        for (int i = 0; i < node.keys().size(); i++) {
            Object key = Types.key(evaluate(node.keys().get(i)));
            dict.put(key, evaluate(node.values().get(i)));
        }
        return dict;
    }

    @Override
    public Object attribute(Expression.Attribute node) {
        return Members.attribute(evaluate(node.object()), node.name());
    }

    @Override
    public Object item(Expression.Item node) {
        Object object = evaluate(node.object());
        if (node.key() instanceof Expression.SliceOf slice) {
            return Members.slice(object, optional(slice.from()), optional(slice.to()), optional(slice.step()), budget);
        }
        return Members.item(object, evaluate(node.key()));
    }

    private Object optional(Expression expression) {
        return expression == null ? null : evaluate(expression);
    }

    @Override
    public Object slice(Expression.SliceOf node) {
        throw new TemplateError("a slice cannot be combined with other keys");
    }

    @Override
    public Object call(Expression.Call node) {
        Object function = evaluate(node.function());
        return invoke(node, function, arguments(node.arguments()));
    }

    private Object invoke(Expression.Call node, Object function, Arguments arguments) {
        runtime.at(node.line());
        if (function instanceof Undefined undefined) {
            throw undefined.error();
        }
        if (!(function instanceof TemplateFunction callable)) {
            throw new TemplateError("'" + Types.name(function) + "' object is not callable");
        }
        return callable.call(runtime, arguments);
    }

    private Arguments arguments(CallArguments node) {
        if (node == CallArguments.NONE) {
            return Arguments.NONE;
        }
        List<Object> positional = evaluateAll(node.positional());
        Map<String, Object> named = new LinkedHashMap<>();
        node.named().forEach(argument -> named.put(argument.name(), evaluate(argument.value())));
        if (node.unpacked() != null) {
            positional.addAll(runtime.items(evaluate(node.unpacked())));
        }
        if (node.unpackedNamed() != null) {
            if (!(evaluate(node.unpackedNamed()) instanceof Map<?, ?> map)) {
                throw new TemplateError("argument after ** must be a mapping");
            }
            map.forEach((key, value) -> named.put(runtime.str(key), value));
        }
        return new Arguments(positional, named);
    }

    @Override
    public Object filter(Expression.Filter node) {
        Object value = node.value() == null ? blockText : evaluate(node.value());
        Arguments arguments = arguments(node.arguments());
        runtime.at(node.line());
        return runtime.filter(node.name(), value, arguments);
    }

    @Override
    public Object test(Expression.Test node) {
        Object value = evaluate(node.value());
        Arguments arguments = arguments(node.arguments());
        runtime.at(node.line());
        return runtime.test(node.name(), value, arguments);
    }

    @Override
    public Object not(Expression.Not node) {
        return !Types.truth(evaluate(node.value()));
    }

    @Override
    public Object logic(Expression.Logic node) {
        Object value = null;
        for (Expression operand : node.operands()) {
            value = evaluate(operand);
            if (Types.truth(value) != node.and()) {
                return value;
            }
        }
        return value;
    }

    @Override
    public Object conditional(Expression.Conditional node) {
        if (Types.truth(evaluate(node.condition()))) {
            return evaluate(node.then());
        }
        return node.otherwise() != null ? evaluate(node.otherwise()) : new Undefined(
                "the inline if-expression evaluated to false and no else section was defined");
    }

    @Override
    public Object comparison(Expression.Comparison node) {
        Object left = evaluate(node.first());
        for (ComparisonPart part : node.parts()) {
            Object right = evaluate(part.operand());
            runtime.at(node.line());
            if (!compare(part.operator(), left, right, budget)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    /** Applies a comparison operator. */
    static boolean compare(Comparator operator, Object left, Object right, Budget budget) {
        return switch (operator) {
            case EQUAL -> PyCompare.equal(left, right, budget);
            case NOT_EQUAL -> !PyCompare.equal(left, right, budget);
            case IN -> PyCompare.contains(right, left, budget);
            case NOT_IN -> !PyCompare.contains(right, left, budget);
            case LESS -> order(left, right, "<", budget) == Order.LESS;
            case GREATER -> order(left, right, ">", budget) == Order.GREATER;
            case LESS_EQUAL -> isOneOf(order(left, right, "<=", budget), Order.LESS, Order.SAME);
            case GREATER_EQUAL -> isOneOf(order(left, right, ">=", budget), Order.GREATER, Order.SAME);
        };
    }

    /** How two values can stand to each other; a NaN stands in no order to anything. */
    private enum Order {
        LESS, SAME, GREATER, NONE
    }

    private static boolean isOneOf(Order order, Order one, Order other) {
        return order == one || order == other;
    }

    private static Order order(Object left, Object right, String operator, Budget budget) {
        int order = PyCompare.compare(left, right, operator, budget);
        if (order == PyCompare.UNORDERED) {
            return Order.NONE;
        }
        return order < 0 ? Order.LESS : order > 0 ? Order.GREATER : Order.SAME;
    }

    @Override
    public Object unary(Expression.Unary node) {
        return Arithmetic.sign(evaluate(node.value()), node.negative());
    }

    @Override
    public Object binary(Expression.Binary node) {
        Object value = evaluate(node.first());
        for (BinaryPart part : node.parts()) {
            Object operand = evaluate(part.operand());
            runtime.at(node.line());
            value = Arithmetic.apply(part.operator(), value, operand, runtime);
        }
        return value;
    }

    @Override
    public Object concat(Expression.Concat node) {
        Output out = new Output(budget);
        for (Expression part : node.parts()) {
            out.append(runtime.str(evaluate(part)));
        }
        return out.toString();
    }
}
