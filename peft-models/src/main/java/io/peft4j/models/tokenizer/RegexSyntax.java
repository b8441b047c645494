package io.peft4j.models.tokenizer;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads the part of Oniguruma's regular expressions that tokenizers are written in, as far as it decides how much a
 * match can backtrack. Refused are what can lead a match astray ({@code \K}), back references, recursion, callouts and
 * whatever else this reader does not know.
 */
final class RegexSyntax {
    /** Oniguruma writes a part out as often as its counts say. */
    private static final int MAX_COUNT = 1000;
    private static final int MAX_LENGTH = 20_000;
    private static final int MAX_DEPTH = 50;
    private static final String CHARACTER_ESCAPES = "dDwWsShHnrtfveaRNO";
    private static final String PLACE_ESCAPES = "bBAzZG";

    private final String text;
    private int at;
    private int depth;

    private RegexSyntax(String text) {
        this.text = text;
    }

    /** A part of an expression. */
    sealed interface Node {
    }

    /** One character of some class. */
    record Character() implements Node {
    }

    /** A place without width: a boundary, or what precedes or follows. */
    record Place(Node condition) implements Node {
    }

    /** What is never tried again once it matched. */
    record Atomic(Node body) implements Node {
    }

    record Sequence(List<Node> parts) implements Node {
    }

    record Choice(List<Node> branches) implements Node {
    }

    /** A part that comes several times; {@code most} is {@link Integer#MAX_VALUE} where nothing bounds it. */
    record Repeat(Node body, int least, int most) implements Node {
    }

    /**
     * Reads an expression.
     *
     * @throws IllegalArgumentException where it is not of this part of the language
     */
    static Node parse(String text) {
        if (text.length() > MAX_LENGTH) {
            throw new IllegalArgumentException("it has " + text.length() + " characters; up to " + MAX_LENGTH
                    + " can be checked");
        }
        RegexSyntax syntax = new RegexSyntax(text);
        Node node = syntax.choice();
        if (syntax.at < text.length()) {
            throw syntax.unknown("an unopened )");
        }
        return node;
    }

    private IllegalArgumentException unknown(String what) {
        return new IllegalArgumentException("at character " + at + " it has " + what + ", which cannot be checked");
    }

    private Node choice() {
        if (++depth > MAX_DEPTH) {
            throw unknown("more than " + MAX_DEPTH + " groups in each other");
        }
        List<Node> branches = new ArrayList<>();
        branches.add(sequence());
        while (at < text.length() && text.charAt(at) == '|') {
            at++;
            branches.add(sequence());
        }
        depth--;
        return branches.size() == 1 ? branches.get(0) : new Choice(branches);
    }

    private Node sequence() {
        List<Node> parts = new ArrayList<>();
        while (at < text.length() && text.charAt(at) != '|' && text.charAt(at) != ')') {
            parts.add(repeats(atom()));
        }
        return parts.size() == 1 ? parts.get(0) : new Sequence(parts);
    }

    private Node atom() {
        char c = text.charAt(at++);
        return switch (c) {
            case '(' -> group();
            case '[' -> {
                skipClass();
                yield new Character();
            }
            case '\\' -> escape();
            case '^', '$' -> new Place(new Sequence(List.of()));
            case '*', '+', '?', '{' -> throw unknown("a " + c + " without what it repeats");
            default -> new Character();
        };
    }

    private Node group() {
        if (!skip("?")) {
            return closed(choice());
        }
        if (skip(":")) {
            return closed(choice());
        }
        if (skip("=") || skip("!") || skip("<=") || skip("<!")) {
            return closed(new Place(choice()));
        }
        if (skip(">")) {
            return closed(new Atomic(choice()));
        }
        int begin = at;
        while (at < text.length() && "im-".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        if (at > begin && skip(":")) {
            return closed(choice());
        }
        if (at > begin && skip(")")) {
            // Options hold up to the end of the group, and what follows them is a group of its own.
            return choice();
        }
        throw unknown("a group of a special kind");
    }

    private Node closed(Node node) {
        if (!skip(")")) {
            throw unknown("a ( that is not closed");
        }
        return node;
    }

    private boolean skip(String what) {
        boolean is = text.startsWith(what, at);
        at += is ? what.length() : 0;
        return is;
    }

    private Node escape() {
        if (at == text.length()) {
            throw unknown("a \\ at its end");
        }
        char c = text.charAt(at++);
        if (PLACE_ESCAPES.indexOf(c) >= 0) {
            return new Place(new Sequence(List.of()));
        }
        if (c == 'p' || c == 'P') {
            skipTo("{", "}");
        } else if (c == 'x' && text.startsWith("{", at)) {
            skipTo("{", "}");
        } else if (c == 'x' || c == 'u') {
            skipHexadecimal(c == 'x' ? 2 : 4);
        } else if (CHARACTER_ESCAPES.indexOf(c) < 0 && isLetterOrDigit(c)) {
            throw unknown("\\" + c);
        }
        return new Character();
    }

    private static boolean isLetterOrDigit(char c) {
        return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }

    private void skipTo(String open, String close) {
        int end = text.startsWith(open, at) ? text.indexOf(close, at) : -1;
        if (end < 0) {
            throw unknown("an escape without its " + open + close);
        }
        at = end + close.length();
    }

    private void skipHexadecimal(int digits) {
        for (int i = 0; i < digits; i++) {
            if (at == text.length() || java.lang.Character.digit(text.charAt(at), 16) < 0) {
                throw unknown("an escape that is not of " + digits + " hexadecimal digits");
            }
            at++;
        }
    }

    /** A class of characters, in which others can stand. */
    private void skipClass() {
        if (++depth > MAX_DEPTH) {
            throw unknown("more than " + MAX_DEPTH + " classes in each other");
        }
        skip("^");
        if (text.startsWith("]", at)) {
            throw unknown("a ] as the first of a class");
        }
        while (!skip("]")) {
            if (at == text.length()) {
                throw unknown("a [ that is not closed");
            }
            if (text.startsWith("[:", at)) {
                skipTo("[:", ":]");
            } else if (skip("[")) {
                skipClass();
            } else if (skip("\\")) {
                escape();
            } else {
                at++;
            }
        }
        depth--;
    }

    private Node repeats(Node atom) {
        Node node = atom;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '{') {
                node = counted(node);
            } else if (c == '*' || c == '+' || c == '?') {
                at++;
                node = new Repeat(node, c == '+' ? 1 : 0, c == '?' ? 1 : Integer.MAX_VALUE);
                if (skip("+")) {
                    node = new Atomic(node);
                } else {
                    skip("?");
                }
            } else {
                return node;
            }
        }
        return node;
    }

    private Node counted(Node node) {
        int end = text.indexOf('}', at);
        String counts = end < 0 ? "" : text.substring(at + 1, end);
        if (!counts.matches("[0-9]{1,4}(,[0-9]{0,4})?|,[0-9]{1,4}")) {
            throw unknown("a { that begins no count");
        }
        at = end + 1;
        int comma = counts.indexOf(',');
        int least = comma == 0 ? 0 : Integer.parseInt(comma < 0 ? counts : counts.substring(0, comma));
        String last = comma < 0 ? counts : counts.substring(comma + 1);
        int most = last.isEmpty() ? Integer.MAX_VALUE : Integer.parseInt(last);
        if (least > most || least > MAX_COUNT || most > MAX_COUNT && most < Integer.MAX_VALUE) {
            throw unknown("the count {" + counts + "}");
        }
        skip("?");
        return new Repeat(node, least, most);
    }
}
