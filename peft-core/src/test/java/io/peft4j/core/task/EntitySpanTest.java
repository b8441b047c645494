package io.peft4j.core.task;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.task.TokenTagger.EntitySpan;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EntitySpanTest {
    /** Expected: {@code seqeval.metrics.sequence_labeling.get_entities} of seqeval 1.2.2. */
    @ParameterizedTest
    @CsvSource({
        "B-PER I-PER O B-LOC, PER 0-2|LOC 3-4",
        "I-PER I-PER O, PER 0-2",
        "B-PER B-PER, PER 0-1|PER 1-2",
        "B-PER I-LOC I-LOC, PER 0-1|LOC 1-3",
        "O I-LOC B-LOC O, LOC 1-2|LOC 2-3",
        "S-PER E-PER I-PER, PER 0-1|PER 1-2|PER 2-3",
        "B I O B-X-Y, _ 0-2|X-Y 3-4",
        "O O, ''"})
    void entitiesAreThoseThatSeqevalReads(String labels, String expected) {
        List<String> found = EntitySpan.of(List.of(labels.split(" "))).stream()
                .map(span -> span.type() + " " + span.first() + "-" + span.end()).toList();

        assertEquals(expected, String.join("|", found));
    }
}
