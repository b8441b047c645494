package io.peft4j.data.near;

import io.peft4j.core.Internal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.text.BreakIterator;
import java.text.DateFormatSymbols;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The sentences of a text in English, German, French, Spanish, Italian, Portuguese or Dutch: the JDK's breaks without
 * those behind abbreviations, initials, and ordinal numbers before months or nouns. ICU4J knows the abbreviations, too,
 * but neither initials nor ordinals, and would make what an application adds larger by 14 MB.
 */
@Internal
public final class Sentences {
    private static final Pattern LAST = Pattern.compile("(?:^|[\\s(\\[\"'\u201e\u201c\u00ab])([^\\s(\\[]*)\\.$");
    private static final Pattern BEFORE = Pattern.compile("(\\S+)\\s+\\S+$");
    private static final Pattern FIRST = Pattern.compile("^[^\\p{L}\\p{N}]*([\\p{L}\\p{N}]+)");
    private static final Pattern INITIAL = Pattern.compile("\\p{L}|(\\p{L}\\.)+-?\\p{L}|\\p{Lu}\\p{Ll}?\\.-\\p{Lu}");
    /** Words before an ordinal number in German. */
    private static final Set<String> BEFORE_ORDINALS = Set.of("am", "im", "der", "die", "das", "dem", "den", "des",
            "vom", "zum", "zur", "beim", "ab", "bis", "seit", "jeden", "jedem", "jeder", "und", "ihr", "sein", "unser",
            "ins");
    private static final String BEGIN = "begin";
    private static final Map<String, Sentences> LANGUAGES = read();

    private final Set<String> never = new HashSet<>();
    private final Set<String> beforeSmall = new HashSet<>();
    private final Set<String> beginnings = new HashSet<>();
    private final Set<String> months;

    private Sentences(String language) {
        DateFormatSymbols symbols = DateFormatSymbols.getInstance(Locale.forLanguageTag(language));
        months = Stream.of(symbols.getMonths(), symbols.getShortMonths()).flatMap(Stream::of)
                .filter(name -> !name.isEmpty()).map(name -> name.replace(".", "").toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet());
    }

    private static Map<String, Sentences> read() {
        Map<String, Sentences> languages = new HashMap<>();
        try (InputStream in = Sentences.class.getResourceAsStream("abbreviations.txt");
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#")) {
                    List<String> words = List.of(line.split(" "));
                    languages.computeIfAbsent(words.get(0), Sentences::new).add(words.subList(1, words.size()));
                }
            }
            return Map.copyOf(languages);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the abbreviations", e);
        }
    }

    private void add(List<String> words) {
        if (words.get(0).equals(BEGIN)) {
            beginnings.addAll(words);
        } else {
            words.forEach(word -> (word.startsWith("+") ? beforeSmall : never).add(word.replaceFirst("\\+", "")));
        }
    }

    /**
     * The sentences of a text, without the spaces around them.
     *
     * @param language the code of its language; of others than those above, abbreviations of English are known
     */
    public static List<String> of(String text, String language) {
        return LANGUAGES.getOrDefault(language, LANGUAGES.get("en")).cut(text, Locale.forLanguageTag(language));
    }

    private List<String> cut(String text, Locale locale) {
        BreakIterator breaks = BreakIterator.getSentenceInstance(locale);
        breaks.setText(text);
        List<String> sentences = new ArrayList<>();
        int from = breaks.first();
        for (int to = breaks.next(); to != BreakIterator.DONE; to = breaks.next()) {
            String sentence = text.substring(from, to).strip();
            if (to == text.length() || ends(sentence, text.substring(to), text.charAt(to - 1))) {
                sentences.add(sentence);
                from = to;
            }
        }
        sentences.removeIf(String::isEmpty);
        return sentences;
    }

    private boolean ends(String sentence, String rest, char last) {
        Matcher stop = LAST.matcher(sentence);
        if (!stop.find()) {
            return true;
        }
        Matcher next = FIRST.matcher(rest);
        String word = stop.group(1);
        String begin = next.find() ? next.group(1) : "";
        if (!Character.isWhitespace(last) || never.contains(word)) {
            return false;
        }
        boolean begins = beginnings.isEmpty() ? begin.codePoints().limit(1).allMatch(Character::isUpperCase)
                : beginnings.contains(begin);
        if (beforeSmall.contains(word)) {
            return begins;
        }
        if (INITIAL.matcher(word).matches()) {
            return beginnings.contains(begin) || StopWords.STOPS.contains(begin.toLowerCase(Locale.ROOT));
        }
        return !word.matches("\\d{1,2}") || !isOrdinal(sentence, begin);
    }

    /** Whether a number counts what follows: 3. M\u00e4rz, im 2. Stock. */
    private boolean isOrdinal(String sentence, String next) {
        Matcher before = BEFORE.matcher(sentence);
        return sentence.matches("\\d+\\.") || months.contains(next.toLowerCase(Locale.ROOT)) || !beginnings.isEmpty()
                && !beginnings.contains(next) && before.find() && BEFORE_ORDINALS.contains(before.group(1).toLowerCase(
                        Locale.ROOT));
    }
}
