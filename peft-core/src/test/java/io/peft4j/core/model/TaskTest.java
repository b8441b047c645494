package io.peft4j.core.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TaskTest {
    @Test
    void aLabelIsFoundByItsNameAndByItsNumber() {
        Task task = Task.classification("billing", "login", "7");

        assertEquals(1, task.label("login"));
        assertEquals(0, task.label("0"));
        assertEquals(2, task.label("7"), "a name goes before a number");
    }

    @Test
    void anUnknownLabelIsAnsweredWithTheNearestOne() {
        String message = assertThrows(ConfigurationException.class,
                () -> Task.classification("billing", "login").label("biling")).getMessage();

        assertTrue(message.contains("unknown label 'biling'") && message.contains("billing"), message);
    }

    @Test
    void labelsStandOnceAndOnlyWhereTheyHaveAMeaning() {
        assertThrows(ConfigurationException.class, () -> Task.tagging("O", "O"));
        assertThrows(ConfigurationException.class, () -> Task.EMBEDDING.withLabels(List.of("a")));
    }

    @Test
    void labelsWithoutNamesAreCalledAsHuggingFaceCallsThem() {
        assertEquals(List.of("LABEL_0", "LABEL_1"), Task.unnamedLabels(2));
    }
}
