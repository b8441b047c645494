package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.text.DateFormatSymbols;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What precedes the items of lists, in whatever document: {@code -}, {@code 1.}, {@code a)}, and bullets. */
@Internal(shared = true)
public final class ListMarkers {
    /** A letter with a period may be an initial or an abbreviation, such as z. B. */
    private static final Pattern MARKER = Pattern.compile("(?:[-*+\u2022\u25cf\u25aa\u25e6\u2023\u2013\u2014\u00b7"
            + "\uf0b7\u25a0\u25ba\u2713\u27a2](?:\\s*\\[[ xX]\\])?|\\(?(?:\\d{1,3}(?:\\.\\d{1,2})*|\\p{L}"
            + "|[ivx]{2,5})\\)|\\d{1,3}\\.(?!\\d)|\\d{1,2}(?:\\.\\d{1,2}){1,3}\\.?(?=\\s+\\p{Lu}\\p{Ll})(?!\\s+Uhr)"
            + "|\\p{Ll}\\.(?=\\s+\\p{Lu}\\p{L})|[ivx]{2,5}\\.)\\s+(?=\\S)");
    private static final Pattern WORD = Pattern.compile("\\p{L}{1,20}");
    private static final Set<String> MONTHS = Stream.of("en", "de", "fr", "es", "it", "pt", "nl").map(
            language -> DateFormatSymbols.getInstance(Locale.forLanguageTag(language)).getMonths()).flatMap(Stream::of)
            .filter(name -> !name.isEmpty()).map(name -> name.toLowerCase(Locale.ROOT)).collect(Collectors.toSet());

    private ListMarkers() {
    }

    /** Whether a word is the name of a month. */
    public static boolean isMonth(String word) {
        return !word.isEmpty() && Character.isUpperCase(word.charAt(0))
                && MONTHS.contains(word.toLowerCase(Locale.ROOT));
    }

    /** Whether a line is an item of a list. */
    public static boolean begins(String line) {
        return !without(line).equals(line.strip());
    }

    /** A line without the markers before it; a number may also be that of a day, as in 1. Mai. */
    public static String without(String line) {
        String rest = line.strip();
        int from = 0;
        Matcher marker = MARKER.matcher(rest).useTransparentBounds(true);
        Matcher word = WORD.matcher(rest);
        while (marker.region(from, rest.length()).lookingAt()) {
            boolean number = Character.isDigit(rest.charAt(from));
            if (number && word.region(marker.end(), rest.length()).lookingAt()
                    && MONTHS.contains(word.group().toLowerCase(
                            Locale.ROOT))) {
                break;
            }
            from = marker.end();
        }
        return rest.substring(from);
    }
}
