package io.peft4j.jinja.support;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template into tokens, with the whitespace control of Jinja under {@code trim_blocks} and
 * {@code lstrip_blocks}: the newline after a block or comment is dropped; blanks between the start of a line and a
 * block or comment are dropped; a minus sign inside a tag drops all whitespace on its side, a plus sign keeps it.
 */
final class Lexer {
    private static final Pattern NUMBER = Pattern.compile(
            "(?<!\\.)[0-9]+(\\.[0-9]+([eE][+\\-]?[0-9]+)?|[eE][+\\-]?[0-9]+)|[0-9]+");
    private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(?:-%\\}\\s*|%\\})");
    private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}\n?)");
    private static final Map<String, TokenType> OPERATORS = Map.ofEntries(
            Map.entry("**", TokenType.POWER), Map.entry("//", TokenType.FLOOR_DIVIDE),
            Map.entry("==", TokenType.EQUAL), Map.entry("!=", TokenType.NOT_EQUAL),
            Map.entry(">=", TokenType.GREATER_EQUAL), Map.entry("<=", TokenType.LESS_EQUAL),
            Map.entry(">", TokenType.GREATER), Map.entry("<", TokenType.LESS), Map.entry("=", TokenType.ASSIGN),
            Map.entry("+", TokenType.ADD), Map.entry("-", TokenType.SUBTRACT), Map.entry("*", TokenType.MULTIPLY),
            Map.entry("/", TokenType.DIVIDE), Map.entry("%", TokenType.MODULO), Map.entry("~", TokenType.TILDE),
            Map.entry("[", TokenType.LEFT_BRACKET), Map.entry("]", TokenType.RIGHT_BRACKET),
            Map.entry("(", TokenType.LEFT_PAREN), Map.entry(")", TokenType.RIGHT_PAREN),
            Map.entry("{", TokenType.LEFT_BRACE), Map.entry("}", TokenType.RIGHT_BRACE),
            Map.entry(".", TokenType.DOT), Map.entry(":", TokenType.COLON), Map.entry("|", TokenType.PIPE),
            Map.entry(",", TokenType.COMMA), Map.entry(";", TokenType.SEMICOLON));

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private final Deque<String> brackets = new ArrayDeque<>();
    private int position;
    private int line = 1;
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    /**
     * Splits a template; the last token is {@link TokenType#END}.
     *
     * @throws SyntaxError if a tag is not closed or holds a character that begins no token
     */
    static List<Token> tokenize(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1);
        }
        return new Lexer(source).run();
    }

    private List<Token> run() {
        while (position < source.length()) {
            int tag = nextTag(position);
            if (tag < 0) {
                addData(source.substring(position));
                break;
            }
            char kind = source.charAt(tag + 1);
            int signAt = tag + 2;
            char sign = signAt < source.length() ? source.charAt(signAt) : ' ';
            boolean signed = sign == '-' || sign == '+';
            addText(source.substring(position, tag), signed ? sign : ' ', kind != '{');
            moveTo(signed ? signAt + 1 : signAt);
            switch (kind) {
                case '#' -> comment();
                case '%' -> {
                    if (!raw()) {
                        code(TokenType.BLOCK_BEGIN, TokenType.BLOCK_END);
                    }
                }
                default -> code(TokenType.VARIABLE_BEGIN, TokenType.VARIABLE_END);
            }
        }
        tokens.add(new Token(TokenType.END, "", line));
        return tokens;
    }

    private int nextTag(int from) {
        int at = source.indexOf('{', from);
        while (at >= 0 && at + 1 < source.length()) {
            char next = source.charAt(at + 1);
            if (next == '{' || next == '%' || next == '#') {
                return at;
            }
            at = source.indexOf('{', at + 1);
        }
        return -1;
    }

    /**
     * Adds the text before a tag, stripped as the tag's sign and {@code lstrip_blocks} demand; keeps the line count.
     */
    private void addText(String text, char sign, boolean block) {
        String kept = text;
        if (sign == '-') {
            kept = PyStrings.stripRight(text, null);
        } else if (sign != '+' && block) {
            int lineStart = text.lastIndexOf('\n') + 1;
            if ((lineStart > 0 || lineStarting) && PyStrings.isBlank(text, lineStart)) {
                kept = text.substring(0, lineStart);
            }
        }
        addData(kept);
        countLines(text);
        position += text.length();
        lineStarting = false;
    }

    private void addData(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(TokenType.DATA, text, line));
        }
    }

    private void comment() {
        int close = source.indexOf("#}", position);
        if (close < 0) {
            throw new SyntaxError(line, "a comment is not closed by '#}'");
        }
        char sign = close > position ? source.charAt(close - 1) : ' ';
        moveTo(endAfter(close + 2, sign, true));
    }

    /** Takes what is between {@code raw} and {@code endraw} as text, if the tag here is {@code raw}. */
    private boolean raw() {
        Matcher begin = RAW.matcher(source).region(position, source.length());
        if (!begin.lookingAt()) {
            return false;
        }
        moveTo(begin.end());
        Matcher end = END_RAW.matcher(source).region(position, source.length());
        if (!end.find()) {
            throw new SyntaxError(line, "the tag 'raw' is not closed by 'endraw'");
        }
        String sign = end.group(1);
        addText(source.substring(position, end.start()), sign.isEmpty() ? ' ' : sign.charAt(0), true);
        moveTo(end.end());
        return true;
    }

    /** Where a tag that closes before {@code at} really ends, after the whitespace that it takes with it. */
    private int endAfter(int at, char sign, boolean trimNewline) {
        if (sign == '-') {
            return skipSpace(at);
        }
        boolean newline = sign != '+' && trimNewline && at < source.length() && source.charAt(at) == '\n';
        return newline ? at + 1 : at;
    }

    private void code(TokenType begin, TokenType end) {
        int beginLine = line;
        tokens.add(new Token(begin, "", line));
        String close = end == TokenType.BLOCK_END ? "%}" : "}}";
        brackets.clear();
        while (position < source.length()) {
            if (brackets.isEmpty()) {
                char sign = source.charAt(position);
                boolean signed = sign == '-' || sign == '+' && end == TokenType.BLOCK_END;
                if (source.startsWith(close, signed ? position + 1 : position)) {
                    tokens.add(new Token(end, "", line));
                    int after = position + (signed ? 3 : 2);
                    moveTo(endAfter(after, signed ? sign : ' ', end == TokenType.BLOCK_END));
                    return;
                }
            }
            token();
        }
        throw new SyntaxError(beginLine, "a tag is opened by " + begin.description() + " and not closed by "
                + end.description());
    }

    private void token() {
        char c = source.charAt(position);
        if (PyStrings.isSpace(c)) {
            moveTo(skipSpace(position));
        } else if (c >= '0' && c <= '9') {
            number();
        } else if (c == '\'' || c == '"') {
            string(c);
        } else if (Character.isUnicodeIdentifierStart(source.codePointAt(position)) || c == '_') {
            name();
        } else {
            operator();
        }
    }

    private void number() {
        Matcher matcher = NUMBER.matcher(source).region(position, source.length()).useTransparentBounds(true);
        if (!matcher.lookingAt() || matcher.end() < source.length()
                && Character.isUnicodeIdentifierPart(source.codePointAt(matcher.end()))) {
            throw new SyntaxError(line, "a number such as 0x1F or 1_000 is not supported in chat templates");
        }
        tokens.add(new Token(matcher.group(1) != null ? TokenType.FLOAT : TokenType.INTEGER, matcher.group(), line));
        moveTo(matcher.end());
    }

    private void string(char quote) {
        int at = position + 1;
        while (at < source.length() && source.charAt(at) != quote) {
            at += source.charAt(at) == '\\' ? 2 : 1;
        }
        if (at >= source.length()) {
            throw new SyntaxError(line, "a string that begins with " + quote + " is not closed");
        }
        String text = StringLiterals.unescape(source.substring(position + 1, at), line);
        tokens.add(new Token(TokenType.STRING, text, line));
        moveTo(at + 1);
    }

    private void name() {
        int at = position;
        while (at < source.length()) {
            int codePoint = source.codePointAt(at);
            if (!Character.isUnicodeIdentifierPart(codePoint) || Character.isIdentifierIgnorable(codePoint)) {
                break;
            }
            at += Character.charCount(codePoint);
        }
        String name = source.substring(position, at);
        tokens.add(new Token(TokenType.NAME, name, line));
        moveTo(at);
    }

    private void operator() {
        int end = Math.min(source.length(), position + 2);
        TokenType type = OPERATORS.get(source.substring(position, end));
        if (type == null) {
            end = position + 1;
            type = OPERATORS.get(source.substring(position, end));
        }
        if (type == null) {
            throw new SyntaxError(line, "unexpected character '"
                    + Character.toString(source.codePointAt(position)) + "'");
        }
        switch (type) {
            case LEFT_BRACE -> brackets.push("}");
            case LEFT_PAREN -> brackets.push(")");
            case LEFT_BRACKET -> brackets.push("]");
            case RIGHT_BRACE, RIGHT_PAREN, RIGHT_BRACKET -> closeBracket(source.substring(position, position + 1));
            default -> {
            }
        }
        tokens.add(new Token(type, "", line));
        moveTo(end);
    }

    private void closeBracket(String bracket) {
        if (brackets.isEmpty()) {
            throw new SyntaxError(line, "unexpected '" + bracket + "'");
        }
        String expected = brackets.pop();
        if (!expected.equals(bracket)) {
            throw new SyntaxError(line, "unexpected '" + bracket + "', expected '" + expected + "'");
        }
    }

    private int skipSpace(int at) {
        int end = at;
        while (end < source.length() && PyStrings.isSpace(source.charAt(end))) {
            end++;
        }
        return end;
    }

    /** Moves to a position further on, counting lines and noting whether a line begins there. */
    private void moveTo(int end) {
        String passed = source.substring(position, end);
        countLines(passed);
        lineStarting = passed.endsWith("\n");
        position = end;
    }

    private void countLines(String passed) {
        for (int at = passed.indexOf('\n'); at >= 0; at = passed.indexOf('\n', at + 1)) {
            line++;
        }
    }

    /** Resolves the backslash escapes of a Python string literal. */
    private static final class StringLiterals {
        private static final int MAX_CODE_POINT = 0x10FFFF;

        private final String raw;
        private final int line;
        private final StringBuilder text = new StringBuilder();
        private int at;

        private StringLiterals(String raw, int line) {
            this.raw = raw;
            this.line = line;
        }

        /**
         * The text that a literal stands for. An unknown escape stays as it is, as in Python.
         *
         * @param raw the text between the quotes
         * @throws SyntaxError if an escape is incomplete or names no character
         */
        static String unescape(String raw, int line) {
            return raw.indexOf('\\') < 0 ? raw : new StringLiterals(raw, line).run();
        }

        private String run() {
            while (at < raw.length()) {
                char c = raw.charAt(at++);
                if (c == '\\') {
                    escape(raw.charAt(at++));
                } else {
                    text.append(c);
                }
            }
            return text.toString();
        }

        private void escape(char kind) {
            switch (kind) {
                case '\n' -> {
                }
                case '\\', '\'', '"' -> text.append(kind);
                case 'n' -> text.append('\n');
                case 't' -> text.append('\t');
                case 'r' -> text.append('\r');
                case 'a' -> text.append('\u0007');
                case 'b' -> text.append('\b');
                case 'f' -> text.append('\f');
                case 'v' -> text.append('\u000B');
                case 'x' -> hexadecimal(2);
                case 'u' -> hexadecimal(4);
                case 'U' -> hexadecimal(8);
                case 'N', '0', '1', '2', '3', '4', '5', '6', '7' -> throw new SyntaxError(line, "the escape \\" + kind
                        + " is not supported in chat templates");
                default -> text.append('\\').append(kind);
            }
        }

        private void hexadecimal(int digits) {
            int end = at + digits;
            long value = 0;
            for (; at < end; at++) {
                int digit = at < raw.length() ? Character.digit(raw.charAt(at), 16) : -1;
                if (digit < 0) {
                    throw new SyntaxError(line, "an escape in a string needs " + digits + " hexadecimal digits");
                }
                value = value * 16 + digit;
            }
            if (value > MAX_CODE_POINT) {
                throw new SyntaxError(line, "an escape in a string names no character");
            }
            text.appendCodePoint((int) value);
        }
    }
}
