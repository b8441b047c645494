package io.peft4j.jinja.support;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Python's {@code text % values} with {@code %s}, {@code %d} of integers, and {@code %%}, and
 * {@code text.format(values)} with {@code {}}, <code>{0}</code>, <code>{name}</code> and doubled braces.
 */
final class PercentFormat {
    private static final Pattern DIRECTIVE = Pattern.compile("%(.?)", Pattern.DOTALL);

    private static final Pattern FIELD = Pattern.compile("\\{\\{|}}|\\{(\\w*)}|[{}]");

    private PercentFormat() {
    }

    /** {@code text.format(...)}. */
    static String braces(String text, Arguments arguments, Runtime runtime) {
        Output out = new Output(runtime.budget());
        Matcher matcher = FIELD.matcher(text);
        int start = 0;
        int used = 0;
        while (matcher.find()) {
            out.append(text.substring(start, matcher.start()));
            start = matcher.end();
            String field = matcher.group(1);
            if (field != null) {
                boolean place = field.isEmpty() || Character.isDigit(field.charAt(0));
                int index = field.isEmpty() ? used++ : place ? Integer.parseInt(field) : 0;
                if (place ? index >= arguments.positional().size() : !arguments.named().containsKey(field)) {
                    throw new TemplateError("format() has no value for '{" + field + "}'");
                }
                out.append(runtime.str(place ? arguments.positional().get(index) : arguments.named().get(field)));
            } else if (matcher.group().length() == 2) {
                out.append(matcher.group().substring(1));
            } else {
                throw TemplateError.unsupported("format() with more in braces than a name or a number");
            }
        }
        out.append(text.substring(start));
        return out.toString();
    }

    /** Formats one value, or the values of a tuple. */
    static String format(String text, Object values, Runtime runtime) {
        List<Object> all = values instanceof Tuple tuple ? tuple.items() : Collections.singletonList(values);
        Output out = new Output(runtime.budget());
        Matcher matcher = DIRECTIVE.matcher(text);
        int start = 0;
        int used = 0;
        while (matcher.find(start)) {
            out.append(text.substring(start, matcher.start()));
            start = matcher.end();
            if (matcher.group(1).equals("%")) {
                out.append("%");
                continue;
            }
            if (!matcher.group(1).equals("s") && !matcher.group(1).equals("d")) {
                throw TemplateError.unsupported("the format '" + matcher.group() + "' (use %s, %d or %%)");
            }
            if (used == all.size()) {
                throw new TemplateError("not enough arguments for format string");
            }
            Object value = all.get(used++);
            if (matcher.group(1).equals("d") && !Types.isInteger(value)) {
                throw TemplateError.unsupported("the format '%d' of a value that is no integer, but "
                        + Types.name(value) + ",");
            }
            out.append(runtime.str(value));
        }
        out.append(text.substring(start));
        if (used < all.size() && !(values instanceof Map) && !(values instanceof List)) {
            throw new TemplateError("not all arguments converted during string formatting");
        }
        return out.toString();
    }
}
