package io.peft4j.eval.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.time.DayOfWeek;
import java.time.Month;
import java.time.format.TextStyle;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Words with a meaning that can be compared: numbers (as ICU spells them), months and weekdays of the languages of
 * {@code words.json}, units, and the table's rewrites of times, dates, halves and limits to one form.
 */
final class Lexicon {
    static final JsonNode TABLE = table();
    static final Map<String, String> UNITS = new HashMap<>();
    static final Map<String, Integer> MONTHS = new HashMap<>();
    static final Map<String, Integer> DAYS = new HashMap<>();
    private static final Map<String, Integer> NUMBERS = new HashMap<>();
    private static final Map<String, Pattern> PATTERNS = new ConcurrentHashMap<>();
    private static final Map<Pattern, String> REWRITES = new LinkedHashMap<>();
    private static final Set<String> ONLY_BEFORE_UNITS = words("only_before_units");
    private static final Map<String, String> NAMED;
    private static final Pattern BEFORE_UNIT;
    private static final Pattern WORD = Pattern.compile("[a-z]+");
    private static final int MOST_WORDS = 7;

    static {
        words("languages").stream().map(Locale::forLanguageTag).forEach(Lexicon::learn);
        NUMBERS.putAll(spelledNumbers());
        TABLE.get("numbers").fields().forEachRemaining(each -> NUMBERS.put(each.getKey(), each.getValue().asInt()));
        TABLE.get("units").fields().forEachRemaining(each -> List.of(each.getValue().asText().split(" "))
                .forEach(form -> UNITS.put(form.replace('_', ' '), each.getKey())));
        NAMED = Map.of("NUMBER", "(?:\\d{1,3}(?:[.,' ]\\d{3}){1,5}(?!\\d)(?:[.,]\\d+)?|\\d+(?:[.,]\\d+)?)",
                "MONTH", "(?:" + any(MONTHS.keySet(), 1) + ")(?![a-z])", "UNIT", any(UNITS.keySet(), 1),
                "ENDING", any(UNITS.keySet(), 4), "DAY", any(DAYS.keySet(), 1));
        BEFORE_UNIT = pattern("[^a-z$€£%°]*(?=[a-z])(?:UNIT)(?![a-z])");
        TABLE.get("rewrites").forEach(each -> REWRITES.put(pattern(each.get(0).asText()), each.get(1).asText()));
    }

    private Lexicon() {
    }

    private static JsonNode table() {
        try (InputStream in = Lexicon.class.getResourceAsStream("words.json")) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Each number of {@code numbers.txt} by its words, which ICU has spelled; the library itself has 14 MB. */
    private static Map<String, Integer> spelledNumbers() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(Lexicon.class.getResourceAsStream(
                "numbers.txt"), StandardCharsets.UTF_8))) {
            return lines.lines().map(line -> line.split(" ")).collect(Collectors.toMap(line -> line[1],
                    line -> Integer.valueOf(line[0])));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void learn(Locale language) {
        for (TextStyle style : List.of(TextStyle.SHORT, TextStyle.FULL)) {
            List.of(Month.values()).forEach(month -> MONTHS.put(folded(month.getDisplayName(style, language)).replace(
                    ".", ""), month.getValue()));
        }
        List.of(DayOfWeek.values()).forEach(day -> DAYS.put(folded(day.getDisplayName(TextStyle.FULL, language)), day
                .getValue()));
    }

    static Set<String> words(String name) {
        return Set.of(TABLE.get(name).asText().split(" "));
    }

    static List<String> list(String name) {
        JsonNode value = TABLE.get(name);
        return value.isTextual() ? List.of(value.asText()) : StreamSupport.stream(value.spliterator(), false).map(
                JsonNode::asText).toList();
    }

    /** The expression of this name. */
    static Pattern expression(String name) {
        return pattern(list(name).get(0));
    }

    /** An expression in which MONTH, DAY, UNIT, ENDING (of a compound) and NUMBER stand for what they name. */
    static Pattern pattern(String expression) {
        return PATTERNS.computeIfAbsent(expression, key -> {
            String written = key;
            for (Map.Entry<String, String> each : NAMED.entrySet()) {
                written = written.replace(each.getKey(), each.getValue());
            }
            return Pattern.compile(written);
        });
    }

    private static String any(Collection<String> words, int shortest) {
        return words.stream().filter(word -> word.length() >= shortest).sorted(Comparator
                .comparing(String::length).reversed()).map(Pattern::quote).collect(Collectors.joining("|"));
    }

    /** In lower case and without accents. */
    static String folded(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFD).replaceAll("[\\p{M}\u00ad\ue000-\uf8ff]", "")
                .toLowerCase(
                        Locale.ROOT)
                .replace("\u00df", "ss").replace('\u2019', '\'').replaceAll("[\u2010-\u2014]", "-")
                .replaceAll("[\u00a0\u202f]", " ");
    }

    static String joined(String words) {
        return words.replace(" ", "").replace("-", "");
    }

    /** The text in lower case without accents, numbers in digits, times and rates in one form. */
    static String plain(String text) {
        String plain = digits(folded(text));
        for (Map.Entry<Pattern, String> rewrite : REWRITES.entrySet()) {
            plain = rewrite.getKey().matcher(plain).replaceAll(rewrite.getValue());
        }
        return plain;
    }

    private static String digits(String text) {
        List<MatchResult> words = WORD.matcher(text).results().toList();
        StringBuilder out = new StringBuilder();
        int copied = 0;
        for (int i = 0; i < words.size(); i++) {
            int start = words.get(i).start();
            int end = Math.min(i + MOST_WORDS, words.size());
            while (end > i && !NUMBERS.containsKey(joined(text.substring(start, words.get(end - 1).end())))) {
                end--;
            }
            boolean bare = end == i + 1 && ONLY_BEFORE_UNITS.contains(words.get(i).group())
                    && !BEFORE_UNIT.matcher(text).region(words.get(i).end(), text.length()).lookingAt();
            if (end > i && !bare) {
                int stop = words.get(end - 1).end();
                out.append(text, copied, start).append(NUMBERS.get(joined(text.substring(start, stop))));
                copied = stop;
                i = end - 1;
            }
        }
        return out.append(text, copied, text.length()).toString();
    }
}
