package io.peft4j.jinja.support;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text.format(...)}. */
final class BraceFormat {
    private static final Pattern FIELD = Pattern.compile(
            "([^.\\[!:]*)((?:\\.[^.\\[!:]+|\\[[^\\]]+\\])*)(?:!(.))?(?::(.*))?", Pattern.DOTALL);
    private static final Pattern PART = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]");

    private final Arguments arguments;
    private final Runtime runtime;
    private int automatic;

    private BraceFormat(Arguments arguments, Runtime runtime) {
        this.arguments = arguments;
        this.runtime = runtime;
    }

    /** Puts the arguments in the place of the fields in curly brackets. */
    static String format(String text, Arguments arguments, Runtime runtime) {
        return new BraceFormat(arguments, runtime).run(text, 2);
    }

    private String run(String text, int depth) {
        if (depth == 0) {
            throw new TemplateError("a format is nested too deeply");
        }
        Output out = new Output(runtime.budget());
        for (int at = 0; at < text.length();) {
            char c = text.charAt(at);
            if ((c == '{' || c == '}') && at + 1 < text.length() && text.charAt(at + 1) == c) {
                out.append(String.valueOf(c));
                at += 2;
            } else if (c == '{') {
                int close = close(text, at);
                out.append(field(text.substring(at + 1, close), depth));
                at = close + 1;
            } else if (c == '}') {
                throw new TemplateError("single '}' encountered in format string");
            } else {
                int end = at;
                while (end < text.length() && text.charAt(end) != '{' && text.charAt(end) != '}') {
                    end++;
                }
                out.append(text.substring(at, end));
                at = end;
            }
        }
        return out.toString();
    }

    private static int close(String text, int open) {
        int depth = 0;
        for (int at = open; at < text.length(); at++) {
            if (text.charAt(at) == '{') {
                depth++;
            } else if (text.charAt(at) == '}' && --depth == 0) {
                return at;
            }
        }
        throw new TemplateError("expected '}' before end of string");
    }

    private String field(String field, int depth) {
        Matcher matcher = FIELD.matcher(field);
        if (!matcher.matches()) {
            throw new TemplateError("invalid field '" + field + "' of a format");
        }
        Object value = first(matcher.group(1));
        Matcher part = PART.matcher(matcher.group(2));
        while (part.find()) {
            String name = part.group(1) != null ? part.group(1) : part.group(2);
            value = part.group(1) != null ? Members.attribute(value, name)
                    : Members.item(value, isDigits(name) ? Long.valueOf(name) : name);
        }
        if (matcher.group(3) != null) {
            value = switch (matcher.group(3)) {
                case "s" -> PyText.str(value, runtime.budget());
                case "r", "a" -> PyText.repr(value, runtime.budget());
                default -> throw new TemplateError("unknown conversion specifier '" + matcher.group(3) + "'");
            };
        }
        String spec = matcher.group(4) == null ? "" : run(matcher.group(4), depth - 1);
        return FormatSpec.parse(spec).format(value, runtime.budget());
    }

    private Object first(String name) {
        if (!name.isEmpty() && !isDigits(name)) {
            if (!arguments.named().containsKey(name)) {
                throw new TemplateError("the format names '" + name + "', which is not an argument");
            }
            return arguments.named().get(name);
        }
        int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
        if (index >= arguments.positional().size()) {
            throw new TemplateError("the format needs the argument " + index + ", which is not given");
        }
        return arguments.positional().get(index);
    }

    private static boolean isDigits(String name) {
        return name.length() < 6 && name.chars().allMatch(c -> c >= '0' && c <= '9') && !name.isEmpty();
    }
}
