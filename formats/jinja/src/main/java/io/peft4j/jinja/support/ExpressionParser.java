package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.BinaryPart;
import io.peft4j.jinja.support.Expression.ComparisonPart;
import io.peft4j.jinja.support.Expression.Operator;
import io.peft4j.jinja.support.PyCompare.Comparator;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Parses the operators of expressions by recursive descent. From loosest to tightest: conditional, or, and, not,
 * comparison, + and -, ~, * / // %, sign, then what {@link OperandParser} reads.
 */
final class ExpressionParser {
    private final TokenStream stream;
    private final OperandParser operands;
    private final Set<String> names = new HashSet<>();

    ExpressionParser(TokenStream stream) {
        this.stream = stream;
        this.operands = new OperandParser(stream, this);
    }

    /** The variables that were read since {@link #forgetNames()}. */
    Set<String> names() {
        return names;
    }

    /** Notes that a variable is read. */
    void used(String name) {
        names.add(name);
    }

    /** Begins a new record of variables and gives the old one. */
    Set<String> forgetNames() {
        Set<String> old = Set.copyOf(names);
        names.clear();
        return old;
    }

    Expression expression() {
        return nested(this::conditional);
    }

    /** One expression that is not a conditional one, as {@code for} and {@code if} want it. */
    private Expression unconditional() {
        return nested(this::or);
    }

    /** One expression, or several with commas between them, which make a tuple. */
    Expression tuple(boolean conditional, String endName) {
        return tuple(conditional ? this::expression : this::unconditional, endName, false);
    }

    /** The left side of an assignment: names with commas between them, or a tuple in brackets. */
    Expression target(String endName) {
        return tuple(operands::primary, endName, false);
    }

    /** One item of the left side of an assignment. */
    Expression targetItem() {
        return operands.primary();
    }

    /** A filter, after its {@code |} or the keyword of a filter block. */
    Expression filter(Expression value) {
        return operands.filter(value);
    }

    /** The content of round brackets: an expression, or a tuple, which may be empty. */
    Expression bracketed() {
        return tuple(this::expression, null, true);
    }

    private Expression tuple(Supplier<Expression> item, String endName, boolean bracketed) {
        int line = stream.line();
        List<Expression> items = new ArrayList<>();
        boolean isTuple = false;
        while (true) {
            if (!items.isEmpty()) {
                stream.expect(TokenType.COMMA);
            }
            if (isTupleEnd(endName)) {
                break;
            }
            items.add(item.get());
            if (!stream.is(TokenType.COMMA)) {
                break;
            }
            isTuple = true;
        }
        if (!isTuple && !items.isEmpty()) {
            return items.get(0);
        }
        if (!isTuple && !bracketed) {
            throw stream.error("expected an expression, got " + stream.current().describe());
        }
        return new Expression.TupleOf(line, List.copyOf(items));
    }

    private boolean isTupleEnd(String endName) {
        return switch (stream.type()) {
            case VARIABLE_END, BLOCK_END, RIGHT_PAREN -> true;
            default -> endName != null && stream.isName(endName);
        };
    }

    private Expression nested(Supplier<Expression> parser) {
        stream.enter();
        Expression expression = parser.get();
        stream.leave();
        return expression;
    }

    private Expression conditional() {
        int line = stream.line();
        Expression then = or();
        while (stream.skipIfName("if")) {
            Expression condition = or();
            Expression otherwise = stream.skipIfName("else") ? expression() : null;
            then = new Expression.Conditional(line, condition, then, otherwise);
        }
        return then;
    }

    private Expression or() {
        return logic(false, "or", this::and);
    }

    private Expression and() {
        return logic(true, "and", this::not);
    }

    private Expression logic(boolean and, String keyword, Supplier<Expression> operand) {
        int line = stream.line();
        Expression first = operand.get();
        if (!stream.isName(keyword)) {
            return first;
        }
        List<Expression> operands = new ArrayList<>(List.of(first));
        while (stream.skipIfName(keyword)) {
            operands.add(operand.get());
            stream.checkOperands(operands.size());
        }
        return new Expression.Logic(line, and, List.copyOf(operands));
    }

    private Expression not() {
        if (!stream.isName("not")) {
            return comparison();
        }
        int line = stream.next().line();
        return new Expression.Not(line, nested(this::not));
    }

    private Expression comparison() {
        int line = stream.line();
        Expression first = sum();
        List<ComparisonPart> parts = new ArrayList<>();
        for (Comparator operator = comparator(); operator != null; operator = comparator()) {
            parts.add(new ComparisonPart(operator, sum()));
            stream.checkOperands(parts.size());
        }
        return parts.isEmpty() ? first : new Expression.Comparison(line, first, List.copyOf(parts));
    }

    /** Takes a comparison operator from the stream; null if there is none. */
    private Comparator comparator() {
        Comparator operator = switch (stream.type()) {
            case EQUAL -> Comparator.EQUAL;
            case NOT_EQUAL -> Comparator.NOT_EQUAL;
            case LESS -> Comparator.LESS;
            case LESS_EQUAL -> Comparator.LESS_EQUAL;
            case GREATER -> Comparator.GREATER;
            case GREATER_EQUAL -> Comparator.GREATER_EQUAL;
            default -> null;
        };
        if (operator != null || stream.isName("in")) {
            stream.next();
            return operator != null ? operator : Comparator.IN;
        }
        if (stream.isName("not") && stream.look().isName("in")) {
            stream.next();
            stream.next();
            return Comparator.NOT_IN;
        }
        return null;
    }

    private Expression sum() {
        return binary(this::concat, Set.of(TokenType.ADD, TokenType.SUBTRACT));
    }

    private Expression concat() {
        int line = stream.line();
        Expression first = product();
        if (!stream.is(TokenType.TILDE)) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (stream.skipIf(TokenType.TILDE)) {
            parts.add(product());
            stream.checkOperands(parts.size());
        }
        return new Expression.Concat(line, List.copyOf(parts));
    }

    private Expression product() {
        Expression product = binary(() -> unary(true), Set.of(TokenType.MULTIPLY, TokenType.DIVIDE,
                TokenType.FLOOR_DIVIDE, TokenType.MODULO));
        if (stream.is(TokenType.POWER)) {
            throw stream.error("the operator ** is not supported in chat templates");
        }
        return product;
    }

    private Expression binary(Supplier<Expression> operand, Set<TokenType> operators) {
        int line = stream.line();
        Expression first = operand.get();
        if (!operators.contains(stream.type())) {
            return first;
        }
        List<BinaryPart> parts = new ArrayList<>();
        while (operators.contains(stream.type())) {
            Operator operator = Operator.valueOf(stream.next().type().name());
            Expression right = operand.get();
            parts.add(new BinaryPart(operator, right));
            stream.checkOperands(parts.size());
        }
        return parts.stream().anyMatch(part -> isMarked(part.operand())) || isMarked(first)
                ? new Expression.Binary(line, escaped(first), parts.stream()
                        .map(part -> new BinaryPart(part.operator(), escaped(part.operand()))).toList())
                : new Expression.Binary(line, first, List.copyOf(parts));
    }

    private static Expression escaped(Expression expression) {
        return isMarked(expression) ? expression
                : new Expression.Filter(expression.line(), expression, Filters.ESCAPE, Expression.CallArguments.NONE);
    }

    /** Jinja escapes what is added to such a text as if it were HTML. */
    private static boolean isMarked(Expression expression) {
        return expression instanceof Expression.Filter filter && filter.name().equals("safe");
    }

    private Expression unary(boolean withFilter) {
        int line = stream.line();
        Expression node;
        if (stream.is(TokenType.SUBTRACT) || stream.is(TokenType.ADD)) {
            boolean negative = stream.next().type() == TokenType.SUBTRACT;
            node = new Expression.Unary(line, negative, nested(() -> unary(false)));
        } else {
            node = operands.primary();
        }
        node = operands.postfix(node);
        return withFilter ? operands.filters(node) : node;
    }
}
