package io.peft4j.jinja.support;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Python's {@code json.dumps}, with which transformers replaces Jinja's own {@code tojson}. */
final class TemplateJson {
    private final Budget budget;
    private final Output out;
    private final boolean ascii;
    private final String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private int level;

    private TemplateJson(Arguments.Bound bound, Budget budget) {
        this.budget = budget;
        this.out = new Output(budget);
        this.ascii = bound.truth(0, false);
        this.indent = indent(bound);
        Object separators = bound.get(2, null);
        if (separators == null) {
            itemSeparator = indent == null ? ", " : ",";
            keySeparator = ": ";
        } else {
            List<Object> both = Types.sequence(separators);
            boolean strings = both != null && both.stream().allMatch(String.class::isInstance);
            if (!strings || both.size() != 2) {
                throw new TemplateError("the separators of tojson must be two strings");
            }
            itemSeparator = (String) both.get(0);
            keySeparator = (String) both.get(1);
        }
    }

    /** Writes a value as JSON; the arguments are those of the filter {@code tojson}. */
    static String write(Object value, Arguments arguments, Budget budget) {
        Arguments.Bound bound = arguments.bind("tojson", 0, "ensure_ascii", "indent", "separators");
        TemplateJson writer = new TemplateJson(bound, budget);
        writer.value(value);
        return writer.out.toString();
    }

    private static String indent(Arguments.Bound bound) {
        Object indent = bound.get(1, null);
        if (indent == null || indent instanceof String) {
            return (String) indent;
        }
        return " ".repeat((int) Math.max(0, Math.min(1000, bound.integer(1, 0))));
    }

    private void value(Object value) {
        budget.enter();
        if (value instanceof String text) {
            string(text);
        } else if (value instanceof Map<?, ?> map) {
            object(map);
        } else if (value instanceof List || value instanceof Tuple) {
            array(Types.sequence(value));
        } else if (value == null || Types.isNumber(value)) {
            out.append(scalar(value));
        } else {
            throw new TemplateError("Object of type " + Types.name(value) + " is not JSON serializable");
        }
        budget.leave();
    }

    private static String scalar(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof Boolean truth) {
            return truth ? "true" : "false";
        }
        if (value instanceof Double number && (Double.isNaN(number) || Double.isInfinite(number))) {
            return Double.isNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
        }
        return value instanceof Double number ? PyText.number(number) : value.toString();
    }

    private void array(List<Object> items) {
        if (items.isEmpty()) {
            out.append("[]");
            return;
        }
        out.append("[");
        level++;
        Iterator<Object> iterator = items.iterator();
        newLine();
        value(iterator.next());
        while (iterator.hasNext()) {
            out.append(itemSeparator);
            newLine();
            value(iterator.next());
        }
        level--;
        newLine();
        out.append("]");
    }

    private void object(Map<?, ?> map) {
        if (map.isEmpty()) {
            out.append("{}");
            return;
        }
        out.append("{");
        level++;
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            out.append(separator);
            newLine();
            string(key(entry.getKey()));
            out.append(keySeparator);
            value(entry.getValue());
            separator = itemSeparator;
        }
        level--;
        newLine();
        out.append("}");
    }

    private static String key(Object key) {
        if (key instanceof String text) {
            return text;
        }
        if (key != null && !Types.isNumber(key)) {
            throw new TemplateError("keys must be str, int, float, bool or None, not " + Types.name(key));
        }
        return scalar(key);
    }

    private void newLine() {
        if (indent != null) {
            budget.checkLength((long) indent.length() * level);
            out.append("\n" + indent.repeat(level));
        }
    }

    private void string(String text) {
        StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> quoted.append("\\\"");
                case '\\' -> quoted.append("\\\\");
                case '\n' -> quoted.append("\\n");
                case '\r' -> quoted.append("\\r");
                case '\t' -> quoted.append("\\t");
                case '\b' -> quoted.append("\\b");
                case '\f' -> quoted.append("\\f");
                default -> {
                    if (c < ' ' || ascii && c > '~') {
                        quoted.append(String.format("\\u%04x", (int) c));
                    } else {
                        quoted.append(c);
                    }
                }
            }
        }
        out.append(quoted.append('"').toString());
    }
}
