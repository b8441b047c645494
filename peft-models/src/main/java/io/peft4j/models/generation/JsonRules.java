package io.peft4j.models.generation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.error.Count;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Rules of JSON texts, with at most one space behind commas and colons. */
final class JsonRules {
    private static final String DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
    private static final String TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?"
            + "(Z|[+\\-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private static final Map<String, String> FORMATS = Map.of("date", DATE, "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "email", "[A-Za-z0-9._+\\-]{1,64}@([A-Za-z0-9\\-]{1,63}\\.){1,8}[A-Za-z]{2,63}");
    /** The characters of a string that need no escape. */
    private static final CodePoints PLAIN = CodePoints.range(' ', Character.MAX_CODE_POINT).and(CodePoints.anyOf(
            List.of(CodePoints.one('"'), CodePoints.one('\\'))).not());
    private static final Rule CHARACTER = Rule.choice(Rule.character(PLAIN),
            RegexParser.parse("\\\\([\"\\\\/bfnrt]|u[0-9a-fA-F]{4})"));
    private static final Rule COMMA = RegexParser.parse(", ?");
    private static final Rule COLON = RegexParser.parse(": ?");
    private static final Rule INTEGER = RegexParser.parse("-?(0|[1-9][0-9]{0,17})");
    private static final Rule NUMBER = RegexParser
            .parse("-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?([eE][+\\-]?[0-9]{1,3})?");
    /** Any values, by how deep arrays and objects are nested. */
    private static final List<Rule> ANY = any();

    private JsonRules() {
    }

    /** A value as it is written. */
    static Rule literal(JsonNode value) {
        return Rule.text(value.toString());
    }

    static Rule integer() {
        return INTEGER;
    }

    /** The integers {@code least} to {@code most}, from 0 on, without zeros in front. */
    static Rule integer(int least, int most) {
        List<Rule> all = new ArrayList<>();
        for (int digits = Integer.toString(least).length(); digits <= Integer.toString(most).length(); digits++) {
            String from = digits == 1 ? "0" : "1" + "0".repeat(digits - 1);
            String low = from.length() > Integer.toString(least).length() ? from : Integer.toString(least);
            String high = digits == Integer.toString(most).length() ? Integer.toString(most) : "9".repeat(digits);
            all.add(digits(low, high));
        }
        return Rule.choice(all);
    }

    /** The texts of digits between two of the same length. */
    private static Rule digits(String low, String high) {
        if (low.isEmpty()) {
            return Rule.sequence();
        }
        String lower = low.substring(1);
        String higher = high.substring(1);
        char first = low.charAt(0);
        char last = high.charAt(0);
        if (first == last) {
            return Rule.sequence(new Rule.Bytes(first, first), digits(lower, higher));
        }
        String nines = "9".repeat(lower.length());
        String zeros = "0".repeat(lower.length());
        return Rule.choice(Rule.sequence(new Rule.Bytes(first, first), digits(lower, nines)),
                Rule.sequence(new Rule.Bytes(first + 1, last - 1), new Rule.Repetition(new Rule.Bytes('0', '9'),
                        lower.length(), lower.length(), "a number")),
                Rule.sequence(new Rule.Bytes(last, last), digits(zeros, higher)));
    }

    static Rule number() {
        return NUMBER;
    }

    /** A string of {@code least} to {@code most} characters, or of any number from {@code least} on. */
    static Rule string(int least, int most) {
        return quoted(new Rule.Repetition(CHARACTER, least, most, "a string" + times(least, most, "character")));
    }

    private static String times(int least, int most, String what) {
        return most < 0 ? "" : " of " + least + " to " + Count.of(most, what);
    }

    private static Rule quoted(Rule content) {
        return Rule.sequence(Rule.text("\""), content, Rule.text("\""));
    }

    /** A string that an expression matches and none of whose characters needs an escape. */
    static Rule matching(String expression) {
        return quoted(RegexParser.parse(expression, PLAIN));
    }

    /** A string of a format that JSON schema names. */
    static Optional<Rule> format(String name) {
        return Optional.ofNullable(FORMATS.get(name)).map(JsonRules::matching);
    }

    static Set<String> formats() {
        return new TreeSet<>(FORMATS.keySet());
    }

    /** Any value, with arrays and objects nested in each other so many times. */
    static Rule any(int depth) {
        return ANY.get(depth);
    }

    private static List<Rule> any() {
        Rule scalar = Rule.choice(string(0, -1), number(), Rule.text("true"), Rule.text("false"), Rule.text("null"));
        List<Rule> all = new ArrayList<>(List.of(scalar));
        for (int i = 0; i < JsonSchema.FREE_DEPTH; i++) {
            all.add(Rule.choice(scalar, array(all.get(i), 0, -1), map(all.get(i))));
        }
        return List.copyOf(all);
    }

    /** An array of {@code least} to {@code most} items, or of any number from {@code least} on. */
    static Rule array(Rule item, int least, int most) {
        if (most == 0) {
            return Rule.text("[]");
        }
        Rule rest = new Rule.Repetition(Rule.sequence(COMMA, item), Math.max(0, least - 1), most < 0 ? -1 : most - 1,
                "an array" + times(least, most, "item"));
        Rule filled = Rule.sequence(Rule.text("["), item, rest, Rule.text("]"));
        return least == 0 ? Rule.choice(Rule.text("[]"), filled) : filled;
    }

    static Rule tuple(List<Rule> items) {
        List<Rule> parts = new ArrayList<>();
        for (Rule item : items) {
            parts.add(parts.isEmpty() ? Rule.text("[") : COMMA);
            parts.add(item);
        }
        parts.add(Rule.text("]"));
        return Rule.sequence(parts.toArray(Rule[]::new));
    }

    /** An object with any names and values of one kind. */
    static Rule map(Rule value) {
        Rule member = Rule.sequence(string(0, -1), COLON, value);
        Rule rest = new Rule.Repetition(Rule.sequence(COMMA, member), 0, -1, "an object");
        return Rule.choice(Rule.text("{}"), Rule.sequence(Rule.text("{"), member, rest, Rule.text("}")));
    }

    /** An object with these properties in their order, of which those that are not required may be missing. */
    static Rule object(Map<String, Rule> properties, Set<String> required) {
        Map<String, Rule> members = new LinkedHashMap<>();
        properties.forEach((name, value) -> members.put(name, Rule.sequence(literal(TextNode.valueOf(name)), COLON,
                value)));
        return Rule.sequence(Rule.text("{"), members(members, required, COMMA), Rule.text("}"));
    }

    /** Such members of an object, with something between each two. */
    static Rule members(Map<String, Rule> members, Set<String> required, Rule separator) {
        List<String> names = new ArrayList<>(members.keySet());
        Collections.reverse(names);
        // What may stand from a property on: behind others, or as the first.
        Rule behind = Rule.sequence();
        Rule first = Rule.sequence();
        for (String name : names) {
            Rule alone = Rule.sequence(members.get(name), behind);
            Rule further = Rule.sequence(separator, alone);
            first = required.contains(name) ? alone : Rule.choice(alone, first);
            behind = required.contains(name) ? further : Rule.choice(further, behind);
        }
        return first;
    }
}
