package io.peft4j.jinja;

import java.time.Clock;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;

/** Python's {@code strftime} in the C locale, for the current local time. */
final class Strftime {
    private static final Map<Character, String> PATTERNS = Map.ofEntries(
            Map.entry('a', "EEE"), Map.entry('A', "EEEE"), Map.entry('b', "MMM"), Map.entry('B', "MMMM"),
            Map.entry('h', "MMM"), Map.entry('d', "dd"), Map.entry('m', "MM"), Map.entry('y', "yy"),
            Map.entry('Y', "yyyy"), Map.entry('H', "HH"), Map.entry('I', "hh"), Map.entry('M', "mm"),
            Map.entry('S', "ss"), Map.entry('j', "DDD"), Map.entry('p', "a"), Map.entry('F', "yyyy-MM-dd"),
            Map.entry('T', "HH:mm:ss"), Map.entry('R', "HH:mm"), Map.entry('D', "MM/dd/yy"),
            Map.entry('x', "MM/dd/yy"), Map.entry('X', "HH:mm:ss"));

    private Strftime() {
    }

    /** The time of the clock in a format such as {@code %d %B %Y}; a hyphen as in {@code %-d} drops leading zeros. */
    static String format(String format, Clock clock) {
        LocalDateTime now = LocalDateTime.now(clock);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
            i += bare ? 2 : 1;
            String part = directive(format.charAt(i), now);
            text.append(bare ? part.replaceFirst("^0+(?=.)", "") : part);
        }
        return text.toString();
    }

    private static String directive(char directive, LocalDateTime now) {
        return switch (directive) {
            case '%' -> "%";
            case 'n' -> "\n";
            case 't' -> "\t";
            case 'z', 'Z' -> "";
            case 'e' -> String.format("%2d", now.getDayOfMonth());
            case 'u' -> String.valueOf(now.getDayOfWeek().getValue());
            case 'w' -> String.valueOf(now.getDayOfWeek().getValue() % 7);
            case 'f' -> String.format("%06d", now.getNano() / 1000);
            case 'c' -> format(now, "EEE MMM ") + directive('e', now) + format(now, " HH:mm:ss yyyy");
            default -> {
                String pattern = PATTERNS.get(directive);
                yield pattern == null ? "%" + directive : format(now, pattern);
            }
        };
    }

    private static String format(LocalDateTime now, String pattern) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now);
    }
}
