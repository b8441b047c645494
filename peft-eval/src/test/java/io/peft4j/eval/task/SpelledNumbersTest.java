package io.peft4j.eval.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.ibm.icu.text.RuleBasedNumberFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The numbers of {@code numbers.txt} are those that ICU 78.3 spells; {@link #main} writes it. */
class SpelledNumbersTest {
    private static final Path FILE = Path.of("src/main/resources/io/peft4j/eval/task/numbers.txt");
    private static final int LAST_ORDINAL = 31;

    /** Writes the file, in the module's folder. */
    public static void main(String[] args) throws IOException {
        Files.write(FILE, spelled());
    }

    @Test
    void everyNumberIsAsIcuSpellsIt() throws IOException {
        List<String> lines = Files.readAllLines(FILE);
        assertEquals(spelled(), lines);
        assertTrue(lines.contains("21 einundzwanzig") && lines.contains("21 twentyone"), "languages");
    }

    private static List<String> spelled() {
        Map<String, Integer> numbers = new TreeMap<>();
        for (String language : Lexicon.words("languages").stream().sorted().toList()) {
            RuleBasedNumberFormat words = new RuleBasedNumberFormat(Locale.forLanguageTag(language),
                    RuleBasedNumberFormat.SPELLOUT);
            for (String rules : words.getRuleSetNames()) {
                int most = rules.contains("ordinal") ? LAST_ORDINAL : rules.contains("year") ? 0 : 1000;
                IntStream.concat(IntStream.range(0, most), IntStream.range(10, most / 10).map(i -> 100 * i))
                        .forEach(i -> numbers.put(Lexicon.joined(Lexicon.folded(words.format(i, rules))), i));
            }
        }
        return numbers.entrySet().stream().map(number -> number.getValue() + " " + number.getKey()).toList();
    }
}
