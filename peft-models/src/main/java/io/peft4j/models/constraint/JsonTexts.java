package io.peft4j.models.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.util.automaton.Automata;
import org.apache.lucene.util.automaton.Automaton;
import org.apache.lucene.util.automaton.MinimizationOperations;
import org.apache.lucene.util.automaton.Operations;
import org.apache.lucene.util.automaton.RegExp;

/** Automata of JSON texts, with at most one space behind commas and colons. */
final class JsonTexts {
    private static final String DATE = "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])";
    private static final String TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?"
            + "(Z|[+\\-]([01][0-9]|2[0-3]):[0-5][0-9])";
    private static final Map<String, String> FORMATS = Map.of("date", DATE, "time", TIME,
            "date-time", DATE + "T" + TIME,
            "uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "email", "[A-Za-z0-9._+\\-]{1,64}\\@([A-Za-z0-9\\-]{1,63}\\.){1,8}[A-Za-z]{2,63}");
    /** A character of a string, as itself or escaped. */
    private static final Automaton CHARACTER = minimal(Operations.union(List.of(
            Automata.makeCharRange(' ', '!'), Automata.makeCharRange('#', '['), Automata.makeCharRange(']', 0xD7FF),
            Automata.makeCharRange(0xE000, 0x10FFFF), of("\\\\([\\\"\\\\/bfnrt]|u[0-9a-fA-F]{4})"))));

    private JsonTexts() {
    }

    private static Automaton of(String expression) {
        return new RegExp(expression, RegExp.NONE).toAutomaton();
    }

    private static Automaton minimal(Automaton automaton) {
        return MinimizationOperations.minimize(automaton, ByteAutomaton.WORK_LIMIT);
    }

    static Automaton text(String text) {
        return Automata.makeString(text);
    }

    /** A value as it is written. */
    static Automaton literal(JsonNode value) {
        return text(value.toString());
    }

    static Automaton integer() {
        return of("-?(0|[1-9][0-9]{0,17})");
    }

    static Automaton integer(int least, int most) {
        // Lucene's interval takes zeros in front, which JSON does not.
        return Operations.intersection(Automata.makeDecimalInterval(least, most, 0), of("0|[1-9][0-9]*"));
    }

    static Automaton number() {
        return of("-?(0|[1-9][0-9]{0,17})(\\.[0-9]{1,17})?([eE][+\\-]?[0-9]{1,3})?");
    }

    /** A string of {@code least} to {@code most} characters, or of any number from {@code least} on. */
    static Automaton string(int least, int most) {
        Automaton inner = most < 0 ? Operations.repeat(CHARACTER, least) : Operations.repeat(CHARACTER, least, most);
        return Operations.concatenate(List.of(text("\""), inner, text("\"")));
    }

    /** A string whose characters an automaton accepts, none of which needs an escape. */
    static Automaton quoted(Automaton content) {
        Automaton plain = Operations.repeat(Operations.union(List.of(Automata.makeCharRange(' ', '!'),
                Automata.makeCharRange('#', '['), Automata.makeCharRange(']', 0xD7FF),
                Automata.makeCharRange(0xE000, 0x10FFFF))));
        return Operations.concatenate(List.of(text("\""), Operations.intersection(content, plain), text("\"")));
    }

    /** A string of a format that JSON schema names. */
    static Optional<Automaton> format(String name) {
        return Optional.ofNullable(FORMATS.get(name)).map(expression -> quoted(of(expression)));
    }

    static Set<String> formats() {
        return new TreeSet<>(FORMATS.keySet());
    }

    /** Any value, with arrays and objects nested in each other so many times. */
    static Automaton any(int depth) {
        Automaton scalar = minimal(Operations.union(List.of(string(0, -1), number(), text("true"), text("false"),
                text("null"))));
        Automaton value = scalar;
        for (int i = 0; i < depth; i++) {
            value = minimal(Operations.union(List.of(scalar, array(value, 0, -1), map(value))));
        }
        return value;
    }

    /** An array of {@code least} to {@code most} items, or of any number from {@code least} on. */
    static Automaton array(Automaton item, int least, int most) {
        if (most == 0) {
            return text("[]");
        }
        Automaton next = Operations.concatenate(comma(), item);
        int more = Math.max(0, least - 1);
        Automaton rest = most < 0 ? Operations.repeat(next, more) : Operations.repeat(next, more, most - 1);
        Automaton filled = Operations.concatenate(List.of(text("["), item, rest, text("]")));
        return least == 0 ? Operations.union(text("[]"), filled) : filled;
    }

    static Automaton tuple(List<Automaton> items) {
        List<Automaton> parts = new ArrayList<>(List.of(text("[")));
        for (int i = 0; i < items.size(); i++) {
            if (i > 0) {
                parts.add(comma());
            }
            parts.add(items.get(i));
        }
        parts.add(text("]"));
        return Operations.concatenate(parts);
    }

    /** An object with any names and values of one kind. */
    static Automaton map(Automaton value) {
        Automaton member = Operations.concatenate(List.of(string(0, -1), colon(), value));
        Automaton rest = Operations.repeat(Operations.concatenate(comma(), member));
        return Operations.union(text("{}"), Operations.concatenate(List.of(text("{"), member, rest, text("}"))));
    }

    /** An object with these properties in their order, of which those that are not required may be missing. */
    static Automaton object(Map<String, Automaton> properties, Set<String> required) {
        List<String> names = new ArrayList<>(properties.keySet());
        // What may stand from a property on: behind others, or as the first.
        Automaton behind = Automata.makeEmptyString();
        Automaton first = Automata.makeEmptyString();
        for (int i = names.size() - 1; i >= 0; i--) {
            String name = names.get(i);
            Automaton member = Operations.concatenate(List.of(
                    literal(TextNode.valueOf(name)), colon(), properties.get(name)));
            Automaton alone = Operations.concatenate(member, behind);
            Automaton further = Operations.concatenate(comma(), alone);
            first = required.contains(name) ? alone : Operations.union(alone, first);
            behind = required.contains(name) ? further : Operations.union(further, behind);
        }
        return minimal(Operations.concatenate(List.of(text("{"), first, text("}"))));
    }

    private static Automaton comma() {
        return of(", ?");
    }

    private static Automaton colon() {
        return of(": ?");
    }
}
