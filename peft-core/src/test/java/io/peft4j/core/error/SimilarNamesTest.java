package io.peft4j.core.error;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class SimilarNamesTest {
    @Test
    void theNearestComeFirst() {
        List<String> names = List.of("v_proj", "q_proj", "gate_proj", "k_proj", "lm_head");
        assertEquals(List.of("q_proj", "k_proj", "v_proj"), SimilarNames.of("q_pro", names, 3));
        assertEquals("the nearest of 5 are 'q_proj', 'k_proj', 'v_proj'", SimilarNames.sentence("q_pro", names));
        assertEquals("5 exist, such as '" + String.join("', '", names.stream().sorted().limit(3).toList())
                + "'; none of them is nearly 'quantization'", SimilarNames.sentence("quantization", names));
        assertEquals("there are 'ab' and 'b'", SimilarNames.sentence("a", List.of("b", "ab")));
        assertEquals("there is only 'a'", SimilarNames.sentence("x", List.of("a")));
        assertEquals("none exist", SimilarNames.sentence("x", List.of()));
    }

    @Test
    void swappedLettersAreOneMistake() {
        assertEquals(List.of("lora", "hra"), SimilarNames.of("lroa", List.of("hra", "lora", "loha"), 2));
        assertEquals(List.of("ab"), SimilarNames.of("ba", List.of("ab", "bcd"), 1));
    }

    @Test
    void longNamesAreComparedByTheirEnds() {
        String prefix = "x".repeat(100_000);
        List<String> near = SimilarNames.of(prefix + ".qq", List.of(prefix + ".aa", prefix + ".qz"), 2);
        assertTrue(near.get(0).endsWith(".qz"));
        assertTrue(near.get(1).endsWith(".aa"));
    }

    @Test
    void aDataExceptionStartsWithFileAndLine() {
        Path file = Path.of("data.jsonl");
        assertEquals("data.jsonl: no rows", new DataException(file, "no rows").getMessage());
        assertEquals("data.jsonl:3: no messages", new DataException(file, 3, "no messages").getMessage());
        DataException e = new DataException(file, 3, 14, "not JSON", new IllegalStateException("cause"));
        assertEquals("data.jsonl:3:14: not JSON", e.getMessage());
        assertEquals(file, e.file());
        assertEquals(3, e.line());
        assertEquals(14, e.column());
        assertTrue(e.getCause() instanceof IllegalStateException);
    }
}
