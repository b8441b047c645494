package io.peft4j.jinja.support;

import io.peft4j.jinja.support.Statement.Branch;
import io.peft4j.jinja.support.Statement.Flow;
import io.peft4j.jinja.support.Statement.NameTarget;
import io.peft4j.jinja.support.Statement.NamespaceTarget;
import io.peft4j.jinja.support.Statement.Signature;
import io.peft4j.jinja.support.Statement.Target;
import io.peft4j.jinja.support.Statement.TupleTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses a template to its statements. */
final class StatementParser {
    private static final Set<String> RESERVED = Set.of("block", "extends", "include", "import", "from", "autoescape",
            "with",
            "print", "do");

    private final TokenStream stream;
    private final ExpressionParser expressions;
    private int loops;

    private StatementParser(TokenStream stream) {
        this.stream = stream;
        this.expressions = new ExpressionParser(stream);
    }

    /**
     * Parses a template.
     *
     * @throws SyntaxError if it is not well-formed or uses a tag that chat templates do not have
     */
    static List<Statement> parse(String template) {
        StatementParser parser = new StatementParser(new TokenStream(Lexer.tokenize(template)));
        return parser.statements("", Set.of());
    }

    /** The statements up to one of the end tags, whose name is left as the current token. */
    private List<Statement> statements(String opened, Set<String> ends) {
        stream.enter();
        List<Statement> statements = new ArrayList<>();
        while (!stream.is(TokenType.END)) {
            Token token = stream.next();
            switch (token.type()) {
                case DATA -> statements.add(new Statement.Text(token.line(), token.text()));
                case VARIABLE_BEGIN -> {
                    statements.add(new Statement.Print(token.line(), expressions.tuple(true, null)));
                    stream.expect(TokenType.VARIABLE_END);
                }
                default -> {
                    if (stream.is(TokenType.NAME) && ends.contains(stream.current().text())) {
                        stream.leave();
                        return List.copyOf(statements);
                    }
                    statement(statements);
                    stream.expect(TokenType.BLOCK_END);
                }
            }
        }
        if (!ends.isEmpty()) {
            throw stream.error("the template ends before '" + opened + "' is closed by " + String.join(" or ",
                    ends.stream().sorted().map(end -> "'" + end + "'").toList()));
        }
        stream.leave();
        return List.copyOf(statements);
    }

    /** The body of a block tag: to the end of the tag, then statements up to one of the end tags. */
    private List<Statement> body(String opened, String... ends) {
        stream.skipIf(TokenType.COLON);
        stream.expect(TokenType.BLOCK_END);
        return statements(opened, Set.of(ends));
    }

    /** The body of a block tag with its only end tag. */
    private List<Statement> closedBody(String opened) {
        List<Statement> body = body(opened, "end" + opened);
        stream.next();
        return body;
    }

    /** A body that runs as a function of its own, so that no loop around it can be left from inside. */
    private List<Statement> functionBody(String opened) {
        int outer = loops;
        loops = 0;
        List<Statement> body = closedBody(opened);
        loops = outer;
        return body;
    }

    private void statement(List<Statement> statements) {
        Token tag = stream.expect(TokenType.NAME);
        int line = tag.line();
        switch (tag.text()) {
            case "for" -> statements.add(loop(line));
            case "if" -> statements.add(choose(line));
            case "set" -> statements.add(assign(line));
            case "macro" -> statements.add(macro(line));
            case "call" -> statements.add(callBlock(line));
            case "filter" -> statements.add(filterBlock(line));
            case "generation" -> statements.add(new Statement.Scoped(line, functionBody("generation")));
            case "break", "continue" -> {
                if (loops == 0) {
                    throw new SyntaxError(line, "'" + tag.text() + "' is outside of a loop");
                }
                statements.add(new Statement.Jump(line, tag.text().equals("break") ? Flow.BREAK : Flow.CONTINUE));
            }
            default -> throw new SyntaxError(line, RESERVED.contains(tag.text())
                    ? "the tag '" + tag.text() + "' is not supported in chat templates"
                    : "unknown tag '" + tag.text() + "', or a tag that closes nothing here");
        }
    }

    private Statement loop(int line) {
        Target target = target(expressions.target("in"));
        stream.expectName("in");
        Expression iterable = expressions.tuple(false, "recursive");
        Expression condition = stream.skipIfName("if") ? expressions.expression() : null;
        if (stream.isName("recursive")) {
            throw stream.error("a recursive loop is not supported in chat templates");
        }
        loops++;
        List<Statement> body = body("for", "endfor", "else");
        loops--;
        List<Statement> otherwise = List.of();
        if (stream.next().isName("else")) {
            otherwise = closedBody("for");
        }
        return new Statement.For(line, target, iterable, condition, body, otherwise);
    }

    private Statement choose(int line) {
        List<Branch> branches = new ArrayList<>();
        while (true) {
            Expression condition = expressions.tuple(false, null);
            branches.add(new Branch(condition, body("if", "elif", "else", "endif")));
            Token end = stream.next();
            if (end.isName("elif")) {
                continue;
            }
            List<Statement> otherwise = end.isName("else") ? closedBody("if") : List.of();
            return new Statement.If(line, List.copyOf(branches), otherwise);
        }
    }

    private Statement assign(int line) {
        List<Target> targets = new ArrayList<>(List.of(assignTarget()));
        boolean single = !stream.is(TokenType.COMMA);
        while (stream.skipIf(TokenType.COMMA)) {
            targets.add(assignTarget());
        }
        Target target = single ? targets.get(0) : new TupleTarget(List.copyOf(targets));
        if (stream.skipIf(TokenType.ASSIGN)) {
            return new Statement.Assign(line, target, expressions.tuple(true, null));
        }
        if (stream.is(TokenType.PIPE)) {
            throw stream.error("a filter of a 'set' block is not supported in chat templates");
        }
        return new Statement.AssignBlock(line, target, closedBody("set"));
    }

    /** One item on the left of {@code set}: here, and only here, it may be an attribute of a namespace. */
    private Target assignTarget() {
        if (!stream.is(TokenType.NAME) || stream.look().type() != TokenType.DOT) {
            return target(expressions.targetItem());
        }
        String namespace = stream.next().text();
        stream.next();
        return new NamespaceTarget(namespace, stream.expect(TokenType.NAME).text());
    }

    private Target target(Expression expression) {
        if (expression instanceof Expression.Name name) {
            return new NameTarget(name.name());
        }
        if (expression instanceof Expression.TupleOf tuple) {
            return new TupleTarget(tuple.items().stream().map(this::target).toList());
        }
        throw new SyntaxError(expression.line(), "this cannot be assigned to; a name or names with commas are needed");
    }

    private Statement macro(int line) {
        String name = stream.expect(TokenType.NAME).text();
        List<String> names = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        parameters(names, defaults);
        Set<String> outer = expressions.forgetNames();
        List<Statement> body = functionBody("macro");
        Signature signature = signature(names, defaults, outer);
        return new Statement.MacroDefinition(line, name, signature, body);
    }

    private Statement callBlock(int line) {
        List<String> names = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (stream.is(TokenType.LEFT_PAREN)) {
            parameters(names, defaults);
        }
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw new SyntaxError(line, "'call' needs the call of a macro");
        }
        Set<String> outer = expressions.forgetNames();
        List<Statement> body = functionBody("call");
        return new Statement.CallBlock(line, signature(names, defaults, outer), call, body);
    }

    private void parameters(List<String> names, List<Expression> defaults) {
        stream.expect(TokenType.LEFT_PAREN);
        while (!stream.is(TokenType.RIGHT_PAREN)) {
            if (!names.isEmpty()) {
                stream.expect(TokenType.COMMA);
            }
            names.add(stream.expect(TokenType.NAME).text());
            if (stream.skipIf(TokenType.ASSIGN)) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw stream.error("a parameter without default follows one with a default");
            }
        }
        stream.expect(TokenType.RIGHT_PAREN);
    }

    private Signature signature(List<String> names, List<Expression> defaults, Set<String> outerNames) {
        Set<String> used = expressions.names();
        for (String rest : List.of("varargs", "kwargs")) {
            if (used.contains(rest) && !names.contains(rest)) {
                throw stream.error("'" + rest + "' in a macro is not supported in chat templates");
            }
        }
        Signature signature = new Signature(List.copyOf(names), List.copyOf(defaults), used.contains(Macro.CALLER));
        used.addAll(outerNames);
        return signature;
    }

    private Statement filterBlock(int line) {
        Expression filter = expressions.filter(new Expression.Name(line, Statement.FilterBlock.TEXT));
        while (stream.skipIf(TokenType.PIPE)) {
            filter = expressions.filter(filter);
        }
        return new Statement.FilterBlock(line, filter, closedBody("filter"));
    }
}
