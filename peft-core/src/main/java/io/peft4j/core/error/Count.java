package io.peft4j.core.error;

import io.peft4j.core.Internal;
import java.util.Locale;

/** Numbers of things in messages: {@code 1 step}, {@code 12,000 steps}. */
@Internal(shared = true)
public final class Count {
    private Count() {
    }

    /**
     * A number with its noun, in the plural unless there is one of them.
     *
     * @param number how many there are
     * @param noun the noun in the singular, whose plural is regular (as of {@code batch}, {@code entry}, {@code epoch})
     */
    public static String of(long number, String noun) {
        return String.format(Locale.ROOT, "%,d %s", number, number == 1 ? noun : plural(noun));
    }

    private static String plural(String noun) {
        if (noun.matches(".*[^aeiou]y")) {
            return noun.substring(0, noun.length() - 1) + "ies";
        }
        return noun + (noun.matches(".*((?<!epo)ch|sh|s|x)") ? "es" : "s");
    }
}
