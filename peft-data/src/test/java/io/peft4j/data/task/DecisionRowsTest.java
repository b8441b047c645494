package io.peft4j.data.task;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.DataException;
import io.peft4j.data.format.DataFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Questions about states, read from files. */
class DecisionRowsTest {
    private static final String GOOD = "{'state': 'a', 'questions': {'q': {'type': 'choice', 'criteria': {'x': null, "
            + "'y': null}}}, 'expected': {'q': 'x'}}";

    @TempDir
    private Path folder;

    private List<DecisionRow> read(String... rows) throws IOException {
        return RowKind.DECISIONS.read(DataFile.of(Files.writeString(folder.resolve("rows.jsonl"), String.join("\n",
                rows).replace('\'', '"'))));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{'x': null, 'y': null} | 'gold': {'q': {'probabilities': {'x': 0.7, 'y': 0.2}}} | sum to 0.8999999999999999; "
                + "they must be from 0 to 1 and sum to 1",
        "{'x': null, 'y': null} | 'gold': {'q': {'probabilities': {'x': 1.5, 'y': -0.5}}} | must be from 0 to 1",
        "{'x': null, 'y': null} | 'gold': {'q': {'probabilities': {'x': 0.5, 'z': 0.5}}} | unknown option 'z'",
        "{'x': null, 'y': null} | 'gold': {'q': {'probabilities': {'x': 'all'}}} | the probability of 'x' is \"all\"",
        "{'x': null, 'y': null} | 'expected': {'other': 'x'} | no such question",
        "{'x': null} | 'expected': {'q': 'x'} | 1 option; it needs at least 2",
        "['x', 'y', 'x'] | 'expected': {'q': 'x'} | 'x' appears twice"})
    void whatIsWrongIsSaidWithItsLine(String criteria, String right, String words) {
        String row = "{'state': 'a', 'questions': {'q': {'type': 'choice', 'criteria': " + criteria + "}}, " + right
                + "}";
        String message = assertThrows(DataException.class, () -> read(GOOD, row)).getMessage();
        assertTrue(message.contains("rows.jsonl:2") && message.contains(words) && message.contains("'q'")
                || message.contains("no such question"), message);
    }

    @Test
    void threeHundredOptionsAreTooMany() {
        String options = IntStream.range(0, 300).mapToObj(i -> "'o" + i + "': null").collect(Collectors.joining(","));
        String message = assertThrows(DataException.class, () -> read("{'state': 'a', 'questions': {'q': {'type': "
                + "'choice', 'criteria': {" + options + "}}}, 'expected': {'q': 'o1'}}")).getMessage();
        assertTrue(message.contains("300 options; it needs at least 2 and has at most 255"), message);
    }

    @Test
    void probabilitiesThatAreRoundedAreMadeToSumToOne() throws IOException {
        List<Double> gold = read(GOOD.replace("'expected': {'q': 'x'}",
                "'gold': {'q': {'probabilities': {'x': 0.3334, 'y': 0.6662}}}")).get(0).gold().get("q");
        assertEquals(1, gold.get(0) + gold.get(1), 1e-15);
        assertEquals(0.3334 / 0.9996, gold.get(0), 1e-12);
    }

    @Test
    void aStateMayBeEmpty() throws IOException {
        assertEquals("", read(GOOD.replace("'a'", "''")).get(0).request().state().asText());
    }
}
