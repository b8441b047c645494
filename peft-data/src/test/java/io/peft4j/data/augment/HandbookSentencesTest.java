package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.format.ListMarkers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sentences as handbooks have them: each question that is made of them was read by a person and found right. */
class HandbookSentencesTest {
    private static PassageRows made(List<String> passages) {
        List<ChatExample> rows = new ArrayList<>();
        for (String passage : passages) {
            rows.add(new ChatExample(List.of(ChatMessage.user("[fill in: a question about it]"), ChatMessage.assistant(
                    passage)), List.of(), Map.of("heading", "it"), new Origin("book", rows.size() + 1)));
        }
        return PassageQuestions.byRule(rows);
    }

    @ParameterizedTest
    @ValueSource(strings = {"en", "de", "fr", "es"})
    void sentencesAreAskedForRightlyOrNotAtAll(String language) throws IOException {
        String all = new String(getClass().getResourceAsStream("handbook-sentences.txt").readAllBytes(),
                StandardCharsets.UTF_8);
        String judged = all.split("== " + language + "\n")[1].split("\n== ")[0].strip();
        List<String> sentences = judged.lines().filter(line -> !line.startsWith("  ")).toList();
        PassageRows made = made(sentences);
        List<String> said = new ArrayList<>();
        for (int i = 0; i < sentences.size(); i++) {
            long line = i + 1;
            said.add(sentences.get(i));
            made.rows().stream().filter(row -> row.origin().line() == line && row.extra().containsKey("generated"))
                    .forEach(row -> said.add("  " + row.messages().get(0).content()));
            made.unasked().stream().filter(one -> one.origin().line() == line)
                    .forEach(one -> said.add("  not asked: " + one.sentence()));
        }
        assertEquals(judged, String.join("\n", said));
    }

    @Test
    void theHalfOfASentenceThatIsNotAskedIsAskedByItsTopic() {
        String sentence = "Employees get 26 days of leave per year and 5 days of sick leave.";
        PassageRows made = made(List.of(sentence));
        assertEquals(2, made.statements());
        assertEquals(List.of(), made.unasked());
        assertEquals(
                List.of("How many days of leave do employees get per year?", "What should I know about employees?"),
                made.rows().stream().map(row -> row.messages().get(0).content()).toList());
        assertEquals(List.of(sentence, sentence), made.rows().stream().map(row -> row.messages().get(1).content())
                .toList());
    }

    @Test
    void theAnswerIsWithoutTheMarkerOfItsItem() {
        assertEquals("The deposit is 50 EUR.",
                made(List.of("- 1. The deposit is 50 EUR.")).rows().get(0).messages().get(
                        1).content());
    }

    @Test
    void aStatementHasTheLineOfItsSentence() {
        ChatExample row = new ChatExample(List.of(ChatMessage.user("[fill in: a question about it]"), ChatMessage
                .assistant("The pool opens at 6:00.\n\nGrade: A; Pay: 12 EUR\nGrade: A; Pay: 12 EUR\n\n- It, says Ann, "
                        + "closes at 8:00.")),
                List.of(), Map.of("heading", "it", "page", 1), new Origin("book", 1,
                        new TreeMap<>(Map.of(0, 3L, 25, 7L, 47, 8L, 69, 10L))));
        PassageRows made = PassageQuestions.byRule(List.of(row));
        assertEquals(List.of(3L, 7L, 8L, 10L), java.util.stream.Stream.concat(made.rows().stream().filter(one -> one
                .extra().containsKey("generated")).map(one -> one.origin().line()), made.unasked().stream().map(
                        one -> one.origin().line()))
                .sorted().toList());
        assertEquals("page 10", made.unasked().get(made.unasked().size() - 1).place());
    }

    @ParameterizedTest
    @CsvSource({"- a,a", "* a,a", "\u2022 a,a", "1. a,a", "12) a,a", "(3) a,a", "a) a,a", "iv. a,a", "2.1) a,a",
        "- 1. a,a", "- [x] a,a", "1. Mai ist frei,1. Mai ist frei", "3. M\u00e4rz,3. M\u00e4rz", "3.5 km,3.5 km",
        "2.1 The day,The day", "2.1.4. Breaks,Breaks",
        "7.30 Uhr,7.30 Uhr", "2.50 EUR,2.50 EUR",
        "-5 degrees,-5 degrees", "A. Smith,A. Smith", "z. B. das,z. B. das", "2024. Und,2024. Und"})
    void markersOfItemsAreToldFromNumbersAndNames(String line, String text) {
        assertEquals(text, ListMarkers.without(line));
        assertEquals(!text.equals(line), ListMarkers.begins(line));
        assertFalse(ListMarkers.begins(text));
    }
}
