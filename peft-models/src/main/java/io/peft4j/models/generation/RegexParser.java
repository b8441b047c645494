package io.peft4j.models.generation;

import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Regular expressions as most languages write them, without what looks around or back. */
final class RegexParser {
    private static final int DEEPEST = 500;
    private static final int LONGEST_QUOTE = 60;
    private static final CodePoints DIGITS = CodePoints.range('0', '9');
    private static final CodePoints WORD = CodePoints.anyOf(List.of(DIGITS, CodePoints.range('A', 'Z'),
            CodePoints.range('a', 'z'), CodePoints.one('_')));
    private static final CodePoints SPACE = CodePoints.anyOf(List.of(CodePoints.range('\t', '\r'),
            CodePoints.one(' ')));
    private static final CodePoints DOT = CodePoints.anyOf(List.of(CodePoints.one('\n'), CodePoints.one('\r'))).not();

    private final String expression;
    private final CodePoints allowed;
    /** Rules of many characters, which take time to make. */
    private final Map<String, Rule> known = new HashMap<>();
    private int at;
    private int depth;

    private RegexParser(String expression, CodePoints allowed) {
        this.expression = expression;
        this.allowed = allowed;
    }

    /** The texts that an expression matches as a whole. */
    static Rule parse(String expression) {
        return parse(expression, CodePoints.ALL);
    }

    /** The texts of some characters alone that an expression matches as a whole. */
    static Rule parse(String expression, CodePoints allowed) {
        RegexParser parser = new RegexParser(expression, allowed);
        if (expression.startsWith("^")) {
            parser.at = 1;
        }
        Rule rule = parser.alternatives();
        if (parser.at < expression.length()) {
            throw parser.refused("a ) that closes nothing");
        }
        return rule;
    }

    private Rule alternatives() {
        List<Rule> all = new ArrayList<>();
        do {
            all.add(sequence());
        } while (take('|'));
        return Rule.choice(all);
    }

    private Rule sequence() {
        List<Rule> parts = new ArrayList<>();
        while (at < expression.length() && expression.charAt(at) != '|' && expression.charAt(at) != ')') {
            int from = at;
            parts.add(repeated(atom(), from));
        }
        // A text that ends may be followed by nothing, which the anchor at the end says.
        return Rule.sequence(parts.toArray(Rule[]::new));
    }

    private Rule atom() {
        int c = expression.codePointAt(at);
        at += Character.charCount(c);
        switch (c) {
            case '(' :
                return group();
            case '[' :
                return character(classOf());
            case '.' :
                return known.computeIfAbsent(".", dot -> character(DOT));
            case '\\' :
                return escaped();
            case '$', '^' :
                if (c == '$' && at == expression.length()) {
                    return Rule.sequence();
                }
                throw refused("the anchor " + (char) c + " inside it; the whole text is always matched");
            case '*', '+', '?', '{' :
                throw refused("a " + (char) c + " that repeats nothing; write \\" + (char) c + " for the character");
            default :
                return character(CodePoints.one(c));
        }
    }

    private Rule escaped() {
        String negated = at < expression.length() ? expression.substring(at, at + 1) : "";
        Rule rule = known.get(negated);
        if (rule != null) {
            at++;
            return rule;
        }
        rule = character(escape(false));
        if ("DWS".contains(negated)) {
            known.put(negated, rule);
        }
        return rule;
    }

    private Rule group() {
        if (++depth > DEEPEST) {
            throw refused("groups in each other, more than " + DEEPEST + " deep");
        }
        if (expression.startsWith("?", at)) {
            if (!expression.startsWith("?:", at)) {
                throw refused("the group " + expression.substring(at - 1, Math.min(expression.length(), at + 3))
                        + "...; only ( ) and (?: ) are supported");
            }
            at += 2;
        }
        Rule rule = alternatives();
        if (!take(')')) {
            throw refused("a ( that nothing closes");
        }
        depth--;
        return rule;
    }

    /** @param from where the atom begins */
    private Rule repeated(Rule atom, int from) {
        Rule rule = atom;
        while (at < expression.length()) {
            if (take('*')) {
                rule = repetition(rule, 0, -1, from);
            } else if (take('+')) {
                rule = repetition(rule, 1, -1, from);
            } else if (take('?')) {
                rule = repetition(rule, 0, 1, from);
            } else if (take('{')) {
                rule = counted(rule, from);
            } else {
                return rule;
            }
        }
        return rule;
    }

    private Rule repetition(Rule rule, int least, int most, int from) {
        String text = expression.substring(from, at);
        return new Rule.Repetition(rule, least, most, text.length() <= LONGEST_QUOTE ? text
                : text.substring(0, LONGEST_QUOTE / 2) + "..." + text.substring(text.length() - LONGEST_QUOTE / 2));
    }

    private Rule counted(Rule rule, int from) {
        int least = number();
        int most = !take(',') ? least : expression.startsWith("}", at) ? -1 : number();
        if (!take('}') || most >= 0 && most < least) {
            throw refused("a repetition that is none; write {n}, {n,} or {n,m}");
        }
        return repetition(rule, least, most, from);
    }

    private int number() {
        int from = at;
        while (at < expression.length() && expression.charAt(at) >= '0' && expression.charAt(at) <= '9') {
            at++;
        }
        if (at == from || at - from > 9) {
            throw refused("a repetition without a number below a billion; write \\{ for the character");
        }
        return Integer.parseInt(expression.substring(from, at));
    }

    private CodePoints classOf() {
        boolean not = take('^');
        List<CodePoints> members = new ArrayList<>();
        while (members.isEmpty() || !expression.startsWith("]", at)) {
            CodePoints from = member();
            boolean range = expression.startsWith("-", at) && !expression.startsWith("-]", at);
            if (range && from.isOne()) {
                at++;
                CodePoints to = member();
                if (!to.isOne() || to.first() < from.first()) {
                    throw refused("a range in a class that ends before it begins");
                }
                members.add(CodePoints.range(from.first(), to.first()));
            } else {
                members.add(from);
            }
        }
        at++;
        CodePoints set = CodePoints.anyOf(members);
        return not ? set.not() : set;
    }

    private CodePoints member() {
        if (at == expression.length()) {
            throw refused("a [ that nothing closes");
        }
        int c = expression.codePointAt(at);
        at += Character.charCount(c);
        return c == '\\' ? escape(true) : CodePoints.one(c);
    }

    private CodePoints escape(boolean inClass) {
        if (at == expression.length()) {
            throw refused("a backslash at its end");
        }
        int c = expression.codePointAt(at);
        at += Character.charCount(c);
        return switch (c) {
            case 'n' -> CodePoints.one('\n');
            case 't' -> CodePoints.one('\t');
            case 'r' -> CodePoints.one('\r');
            case 'f' -> CodePoints.one('\f');
            case 'x' -> CodePoints.one(code(2));
            case 'u' -> CodePoints.one(code(4));
            case 'd' -> DIGITS;
            case 'w' -> WORD;
            case 's' -> SPACE;
            case 'D', 'W', 'S' -> {
                if (inClass) {
                    throw refused("\\" + (char) c + " inside a class; write [^...] instead");
                }
                yield (c == 'D' ? DIGITS : c == 'W' ? WORD : SPACE).not();
            }
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw refused("\\" + Character.toString(c)
                            + ", which is not supported or not defined");
                }
                yield CodePoints.one(c);
            }
        };
    }

    private int code(int digits) {
        int end = at + digits;
        String hex = end <= expression.length() ? expression.substring(at, end) : "";
        if (!hex.matches("[0-9A-Fa-f]{" + digits + "}")) {
            throw refused("an escape that needs " + digits + " hexadecimal digits");
        }
        at = end;
        return Integer.parseInt(hex, 16);
    }

    private Rule character(CodePoints codePoints) {
        return Rule.character(codePoints.and(allowed));
    }

    private boolean take(char c) {
        boolean there = at < expression.length() && expression.charAt(at) == c;
        at += there ? 1 : 0;
        return there;
    }

    private ConfigurationException refused(String what) {
        return new ConfigurationException("the regular expression " + expression + " has " + what);
    }
}
