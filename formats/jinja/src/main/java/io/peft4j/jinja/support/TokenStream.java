package io.peft4j.jinja.support;

import java.util.List;

/** The tokens of a template with a position that moves forward, and the depth of what is being parsed. */
final class TokenStream {
    /** Deeper nesting is refused, so that neither parsing nor evaluating can exhaust the stack of a thread. */
    private static final int MAX_DEPTH = 100;
    /** Templates that are written by people have some tens. */
    private static final int MAX_OPERANDS = 32_768;

    private final List<Token> tokens;
    private int position;
    private int depth;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(position);
    }

    TokenType type() {
        return current().type();
    }

    int line() {
        return current().line();
    }

    /** The token after the current one. */
    Token look() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    /** Gives the current token and moves on; the end is never passed. */
    Token next() {
        Token token = current();
        if (position < tokens.size() - 1) {
            position++;
        }
        return token;
    }

    boolean is(TokenType type) {
        return current().type() == type;
    }

    boolean isName(String name) {
        return current().isName(name);
    }

    /** Moves on if the current token is of a kind, and says whether it was. */
    boolean skipIf(TokenType type) {
        if (is(type)) {
            next();
            return true;
        }
        return false;
    }

    /** Moves on if the current token is a keyword, and says whether it was. */
    boolean skipIfName(String name) {
        if (isName(name)) {
            next();
            return true;
        }
        return false;
    }

    /** Gives the current token, which must be of a kind, and moves on. */
    Token expect(TokenType type) {
        if (!is(type)) {
            throw error("expected " + type.description() + ", got " + current().describe());
        }
        return next();
    }

    /** Moves past a keyword that must stand here. */
    void expectName(String name) {
        if (!isName(name)) {
            throw error("expected '" + name + "', got " + current().describe());
        }
        next();
    }

    /** Enters one level of nesting. */
    void enter() {
        if (++depth > MAX_DEPTH) {
            throw error("the template is nested deeper than " + MAX_DEPTH + " levels");
        }
    }

    void leave() {
        depth--;
    }

    /** Refuses a chain of operators so long that each rendering would take its time. */
    void checkOperands(int count) {
        if (count > MAX_OPERANDS) {
            throw error("an expression has more than " + MAX_OPERANDS + " operands");
        }
    }

    SyntaxError error(String message) {
        return new SyntaxError(line(), message);
    }
}
