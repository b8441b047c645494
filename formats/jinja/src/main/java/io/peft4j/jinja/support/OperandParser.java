package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Expression.CallArguments;
import io.peft4j.jinja.support.Expression.NamedArgument;
import java.util.ArrayList;
import java.util.List;

/** Parses operands (literals, names, brackets) and what follows them: subscripts, calls, filters and tests. */
final class OperandParser {
    private final TokenStream stream;
    private final ExpressionParser expressions;

    OperandParser(TokenStream stream, ExpressionParser expressions) {
        this.stream = stream;
        this.expressions = expressions;
    }

    /** A literal, a name or something in brackets. */
    Expression primary() {
        Token token = stream.next();
        int line = token.line();
        return switch (token.type()) {
            case NAME -> name(token);
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (stream.is(TokenType.STRING)) {
                    text.append(stream.next().text());
                }
                yield new Expression.Constant(line, text.toString());
            }
            case INTEGER -> integer(token);
            case FLOAT -> new Expression.Constant(line, Double.valueOf(token.text()));
            case LEFT_PAREN -> {
                Expression inner = expressions.bracketed();
                stream.expect(TokenType.RIGHT_PAREN);
                yield inner;
            }
            case LEFT_BRACKET -> list(line);
            case LEFT_BRACE -> dict(line);
            default -> throw new SyntaxError(line, "unexpected " + token.describe());
        };
    }

    private Expression name(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Constant(token.line(), true);
            case "false", "False" -> new Expression.Constant(token.line(), false);
            case "none", "None" -> new Expression.Constant(token.line(), null);
            default -> {
                expressions.used(token.text());
                yield new Expression.Name(token.line(), token.text());
            }
        };
    }

    private static Expression integer(Token token) {
        try {
            return new Expression.Constant(token.line(), Long.valueOf(token.text()));
        } catch (NumberFormatException e) {
            throw new SyntaxError(token.line(), "an integer of more than 64 bits is not supported in chat templates");
        }
    }

    private Expression list(int line) {
        List<Expression> items = new ArrayList<>();
        while (!stream.is(TokenType.RIGHT_BRACKET)) {
            if (!items.isEmpty()) {
                stream.expect(TokenType.COMMA);
                if (stream.is(TokenType.RIGHT_BRACKET)) {
                    break;
                }
            }
            items.add(expressions.expression());
        }
        stream.expect(TokenType.RIGHT_BRACKET);
        return new Expression.ListOf(line, List.copyOf(items));
    }

    private Expression dict(int line) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!stream.is(TokenType.RIGHT_BRACE)) {
            if (!keys.isEmpty()) {
                stream.expect(TokenType.COMMA);
                if (stream.is(TokenType.RIGHT_BRACE)) {
                    break;
                }
            }
            keys.add(expressions.expression());
            stream.expect(TokenType.COLON);
            values.add(expressions.expression());
        }
        stream.expect(TokenType.RIGHT_BRACE);
        return new Expression.DictOf(line, List.copyOf(keys), List.copyOf(values));
    }

    /** Subscripts and calls that follow an operand. */
    Expression postfix(Expression value) {
        Expression node = value;
        while (true) {
            if (stream.is(TokenType.DOT) || stream.is(TokenType.LEFT_BRACKET)) {
                node = subscript(node);
            } else if (stream.is(TokenType.LEFT_PAREN)) {
                node = new Expression.Call(stream.line(), node, arguments());
            } else {
                return node;
            }
        }
    }

    /** Filters, tests and calls that follow an operand. */
    Expression filters(Expression value) {
        Expression node = value;
        while (true) {
            if (stream.is(TokenType.PIPE)) {
                stream.next();
                node = filter(node);
            } else if (stream.isName("is")) {
                node = test(node);
            } else if (stream.is(TokenType.LEFT_PAREN)) {
                node = new Expression.Call(stream.line(), node, arguments());
            } else {
                return node;
            }
        }
    }

    private Expression subscript(Expression object) {
        Token token = stream.next();
        if (token.type() == TokenType.DOT) {
            Token name = stream.next();
            return switch (name.type()) {
                case NAME -> new Expression.Attribute(token.line(), object, name.text());
                case INTEGER -> new Expression.Item(token.line(), object, integer(name));
                default -> throw new SyntaxError(name.line(), "expected a name or a number after '.', got "
                        + name.describe());
            };
        }
        Expression from = stream.is(TokenType.COLON) ? null : expressions.bracketed();
        Expression item;
        if (stream.skipIf(TokenType.COLON)) {
            Expression to = isSlicePartMissing() ? null : expressions.expression();
            Expression step = stream.skipIf(TokenType.COLON) && !isSlicePartMissing() ? expressions.expression() : null;
            item = new Expression.Slice(token.line(), object, from, to, step);
        } else {
            item = new Expression.Item(token.line(), object, from);
        }
        stream.expect(TokenType.RIGHT_BRACKET);
        return item;
    }

    private boolean isSlicePartMissing() {
        return stream.is(TokenType.COLON) || stream.is(TokenType.RIGHT_BRACKET);
    }

    /** A filter, after its {@code |} or the keyword of a filter block. */
    Expression filter(Expression value) {
        int line = stream.line();
        String name = dottedName();
        CallArguments arguments = stream.is(TokenType.LEFT_PAREN) ? arguments() : CallArguments.NONE;
        return new Expression.Filter(line, value, name, arguments);
    }

    private Expression test(Expression value) {
        int line = stream.next().line();
        boolean negated = stream.skipIfName("not");
        String name = dottedName();
        CallArguments arguments = CallArguments.NONE;
        if (stream.is(TokenType.LEFT_PAREN)) {
            arguments = arguments();
        } else if (isTestArgument()) {
            if (stream.isName("is")) {
                throw stream.error("tests with 'is' cannot be chained");
            }
            arguments = new CallArguments(List.of(postfix(primary())), List.of(), null, null);
        }
        Expression node = new Expression.Test(line, value, name, arguments);
        return negated ? new Expression.Not(line, node) : node;
    }

    private boolean isTestArgument() {
        return switch (stream.type()) {
            case NAME -> !stream.isName("else") && !stream.isName("or") && !stream.isName("and");
            case STRING, INTEGER, FLOAT, LEFT_BRACKET, LEFT_BRACE -> true;
            default -> false;
        };
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(stream.expect(TokenType.NAME).text());
        while (stream.skipIf(TokenType.DOT)) {
            name.append('.').append(stream.expect(TokenType.NAME).text());
        }
        return name.toString();
    }

    private CallArguments arguments() {
        int line = stream.expect(TokenType.LEFT_PAREN).line();
        List<Expression> positional = new ArrayList<>();
        List<NamedArgument> named = new ArrayList<>();
        Expression unpacked = null;
        Expression unpackedNamed = null;
        boolean first = true;
        while (!stream.is(TokenType.RIGHT_PAREN)) {
            if (!first) {
                stream.expect(TokenType.COMMA);
                if (stream.is(TokenType.RIGHT_PAREN)) {
                    break;
                }
            }
            first = false;
            boolean valid;
            if (stream.skipIf(TokenType.MULTIPLY)) {
                valid = unpacked == null && unpackedNamed == null;
                unpacked = expressions.expression();
            } else if (stream.skipIf(TokenType.POWER)) {
                valid = unpackedNamed == null;
                unpackedNamed = expressions.expression();
            } else if (stream.is(TokenType.NAME) && stream.look().type() == TokenType.ASSIGN) {
                valid = unpackedNamed == null;
                String name = stream.next().text();
                stream.next();
                named.add(new NamedArgument(name, expressions.expression()));
            } else {
                valid = unpacked == null && unpackedNamed == null && named.isEmpty();
                positional.add(expressions.expression());
            }
            if (!valid) {
                throw new SyntaxError(line, "the arguments of a call are in the wrong order");
            }
        }
        stream.expect(TokenType.RIGHT_PAREN);
        return new CallArguments(List.copyOf(positional), List.copyOf(named), unpacked, unpackedNamed);
    }
}
