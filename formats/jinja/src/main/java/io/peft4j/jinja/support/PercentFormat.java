package io.peft4j.jinja.support;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code text % values} with {@code %s}, {@code %d} of integers, and {@code %%}. */
final class PercentFormat {
    private static final Pattern DIRECTIVE = Pattern.compile("%(.?)", Pattern.DOTALL);

    private PercentFormat() {
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
