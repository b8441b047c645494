package io.peft4j.models.constraint;

import io.peft4j.core.error.ConfigurationException;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.RegExp;
import org.apache.lucene.util.automaton.TooComplexToDeterminizeException;

/**
 * Regular expressions as most languages write them, in Lucene's spelling: there quotes enclose text, {@code \n} is the
 * letter n, a dot takes line ends, and there are no groups that begin with {@code (?:}.
 */
final class RegexDialect {
    private static final String SPECIAL = ".?*+|(){}[]\\\"^$/-&~<>@#";

    private final String expression;
    private final StringBuilder translated = new StringBuilder();
    private int at;

    private RegexDialect(String expression) {
        this.expression = expression;
    }

    /** The automaton of the texts that an expression matches as a whole. */
    static Automaton automaton(String expression) {
        String lucene = new RegexDialect(expression).translate();
        try {
            return Operations.determinize(new RegExp(lucene, RegExp.NONE).toAutomaton(), ByteAutomaton.WORK_LIMIT);
        } catch (TooComplexToDeterminizeException e) {
            throw ByteAutomaton.tooComplex("the regular expression " + expression, e);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("the regular expression " + expression + " is not valid: "
                    + e.getMessage(), e);
        }
    }

    private String translate() {
        if (expression.startsWith("^")) {
            at = 1;
        }
        boolean inClass = false;
        while (at < expression.length()) {
            char c = expression.charAt(at++);
            if (c == '\\') {
                escape(inClass);
            } else if (inClass) {
                inClass = c != ']';
                boolean atItsEnd = c == '-' && expression.startsWith("]", at);
                translated.append(c == '"' || atItsEnd ? "\\" : "").append(c);
            } else if (c == '(') {
                group();
            } else if (c == '[') {
                inClass = true;
                translated.append(c);
            } else if (c == '.') {
                translated.append("[^\n\r]");
            } else if (c == '$' || c == '^') {
                anchor(c);
            } else {
                translated.append(c == '"' ? "\\" : "").append(c);
            }
        }
        return translated.toString();
    }

    private void anchor(char c) {
        if (c != '$' || at < expression.length()) {
            throw refused("the anchor " + c + " inside it; a text is always matched as a whole");
        }
    }

    private void group() {
        translated.append('(');
        if (!expression.startsWith("?", at)) {
            return;
        }
        if (!expression.startsWith("?:", at)) {
            throw refused("the group " + expression.substring(at - 1, Math.min(expression.length(), at + 3))
                    + "...; there are ( ) and (?: ) alone");
        }
        at += 2;
    }

    private void escape(boolean inClass) {
        if (at == expression.length()) {
            throw refused("a backslash at its end");
        }
        char c = expression.charAt(at++);
        switch (c) {
            case 'n' -> translated.append('\n');
            case 't' -> translated.append('\t');
            case 'r' -> translated.append('\r');
            case 'f' -> translated.append('\f');
            case 'x' -> code(2);
            case 'u' -> code(4);
            case 'd', 'D', 's', 'S', 'w', 'W' -> {
                if (inClass) {
                    insideClass(c);
                } else {
                    translated.append('\\').append(c);
                }
            }
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw refused("\\" + c + ", which an automaton cannot follow or which has no meaning");
                }
                translated.append('\\').append(c);
            }
        }
    }

    private void insideClass(char c) {
        translated.append(switch (c) {
            case 'd' -> "0-9";
            case 'w' -> "a-zA-Z0-9_";
            case 's' -> " \t\n\r";
            default -> throw refused("\\" + c + " inside a class; write [^...] instead");
        });
    }

    private void code(int digits) {
        int end = at + digits;
        String hex = end <= expression.length() ? expression.substring(at, end) : "";
        if (!hex.matches("[0-9A-Fa-f]{" + digits + "}")) {
            throw refused("an escape that needs " + digits + " hexadecimal digits");
        }
        at = end;
        char c = (char) Integer.parseInt(hex, 16);
        translated.append(SPECIAL.indexOf(c) >= 0 ? "\\" + c : String.valueOf(c));
    }

    private ConfigurationException refused(String what) {
        return new ConfigurationException("the regular expression " + expression + " has " + what);
    }
}
