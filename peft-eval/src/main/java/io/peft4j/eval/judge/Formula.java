package io.peft4j.eval.judge;

import io.peft4j.core.error.ConfigurationException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A formula over named numbers: {@code + - * / ^} with the usual precedence ({@code ^} is a power, from the right, and
 * binds more firmly than a sign before it), parentheses, and the functions {@code min}, {@code max} (of one or more),
 * {@code abs}, {@code floor}, {@code ceil}, {@code exp}, {@code sqrt}, {@code log}.
 */
final class Formula {
    private static final Map<String, DoubleUnaryOperator> FUNCTIONS = new TreeMap<>(Map.of("abs", Math::abs, "floor",
            Math::floor, "ceil", Math::ceil, "exp", Math::exp, "sqrt", Math::sqrt, "log", Math::log));
    private static final Map<String, DoubleBinaryOperator> FOLDS = new TreeMap<>(Map.of("min", Math::min, "max",
            Math::max));
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][+-]?\\d+)?|[\\p{L}_][\\p{L}\\p{N}_]*|[-+*/^(),])");
    private static final int DEEPEST = 100;
    /** Numbers, names and signs: the value of a sum is computed by as many nested calls. */
    private static final int MOST_TOKENS = 1000;
    private static final int SHOWN = 200;

    private final String text;
    private final Collection<String> names;
    private final List<String> tokens = new ArrayList<>();
    private int at;
    private int depth;
    private final ToDoubleFunction<Map<String, Double>> root;

    Formula(String text, Collection<String> names) {
        this.text = text;
        this.names = names;
        Matcher matcher = TOKEN.matcher(text);
        int end = 0;
        while (matcher.region(end, text.length()).lookingAt()) {
            tokens.add(matcher.group().strip());
            end = matcher.end();
        }
        if (!text.substring(end).isBlank()) {
            throw wrong("'" + text.substring(end).strip().charAt(0) + "' is not understood");
        }
        this.root = sum();
        if (at < tokens.size()) {
            throw wrong("'" + tokens.get(at) + "' is one too many");
        }
        if (at > MOST_TOKENS) {
            throw wrong("it has more than " + MOST_TOKENS + " numbers, names and signs");
        }
    }

    /** Its value; no finite number where it is none. */
    double value(Map<String, Double> numbers) {
        return root.applyAsDouble(numbers);
    }

    private ConfigurationException wrong(String problem) {
        return new ConfigurationException("the formula '" + (text.length() <= SHOWN ? text
                : text.substring(0, SHOWN) + "...") + "' is wrong: " + problem + "; there are the numbers "
                + names + ", + - * / ^, parentheses, and the functions " + FOLDS.keySet() + " and "
                + FUNCTIONS.keySet());
    }

    private boolean takes(String token) {
        boolean found = at < tokens.size() && tokens.get(at).equals(token);
        at += found ? 1 : 0;
        return found;
    }

    private void expect(String token) {
        if (!takes(token)) {
            throw wrong("'" + token + "' is missing");
        }
    }

    private void enter() {
        if (++depth > DEEPEST) {
            throw wrong("it is nested more than " + DEEPEST + " deep");
        }
    }

    private ToDoubleFunction<Map<String, Double>> sum() {
        enter();
        ToDoubleFunction<Map<String, Double>> left = product();
        while (true) {
            if (takes("+")) {
                left = both(left, product(), Double::sum);
            } else if (takes("-")) {
                left = both(left, product(), (a, b) -> a - b);
            } else {
                depth--;
                return left;
            }
        }
    }

    private ToDoubleFunction<Map<String, Double>> product() {
        ToDoubleFunction<Map<String, Double>> left = signed();
        while (true) {
            if (takes("*")) {
                left = both(left, signed(), (a, b) -> a * b);
            } else if (takes("/")) {
                left = both(left, signed(), (a, b) -> a / b);
            } else {
                return left;
            }
        }
    }

    private ToDoubleFunction<Map<String, Double>> signed() {
        int sign = 1;
        while (at < tokens.size() && (tokens.get(at).equals("-") || tokens.get(at).equals("+"))) {
            sign = tokens.get(at++).equals("-") ? -sign : sign;
        }
        ToDoubleFunction<Map<String, Double>> value = atom();
        if (takes("^")) {
            enter();
            value = both(value, signed(), Math::pow);
            depth--;
        }
        ToDoubleFunction<Map<String, Double>> unsigned = value;
        return sign == 1 ? value : numbers -> -unsigned.applyAsDouble(numbers);
    }

    private static ToDoubleFunction<Map<String, Double>> both(ToDoubleFunction<Map<String, Double>> left,
            ToDoubleFunction<Map<String, Double>> right, DoubleBinaryOperator operator) {
        return numbers -> operator.applyAsDouble(left.applyAsDouble(numbers), right.applyAsDouble(numbers));
    }

    private ToDoubleFunction<Map<String, Double>> atom() {
        if (at == tokens.size()) {
            throw wrong("it ends too early");
        }
        if (takes("(")) {
            ToDoubleFunction<Map<String, Double>> inner = sum();
            expect(")");
            return inner;
        }
        String token = tokens.get(at++);
        if (Character.isDigit(token.charAt(0)) || token.charAt(0) == '.') {
            double constant = Double.parseDouble(token);
            return numbers -> constant;
        }
        if (names.contains(token)) {
            return numbers -> numbers.get(token);
        }
        if (FUNCTIONS.containsKey(token)) {
            expect("(");
            ToDoubleFunction<Map<String, Double>> argument = sum();
            expect(")");
            return numbers -> FUNCTIONS.get(token).applyAsDouble(argument.applyAsDouble(numbers));
        }
        if (FOLDS.containsKey(token)) {
            expect("(");
            ToDoubleFunction<Map<String, Double>> folded = sum();
            while (takes(",")) {
                folded = both(folded, sum(), FOLDS.get(token));
            }
            expect(")");
            return folded;
        }
        throw wrong("'" + token + "' is unknown");
    }
}
