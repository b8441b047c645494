package io.peft4j.data.augment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Broken questions are told, and hardly any good one is taken for broken. */
class QuestionFormTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            How many days before the Shore Captain can the ask the shore captain? | verb 'ask'
            How many days must a captain ask the captain a captain? | 'a captain' occurs twice
            What is the is the lease? | verb 'is'
            How long can a must a boat be moored? | verb 'must'
            What is the the notice period? | 'the the' occurs in it
            What is the a deposit for a boat? | 'the a' occurs in it
            How long does is the lease of a barge? | 'does is' occurs in it
            How many hours must of leave be asked for? | 'must of' occurs in it
            Where are the keys of the? | ends with 'the'
            What is the notice period for a? | ends with 'a'
            How long is the notice period and? | ends with 'and'
            What is ___ of a boat? | a gap is not filled
            How many days (of leave are there? | a bracket or quotation mark is not closed
            What is the leave days of the leave days? | 'the leave days' occurs twice
            A night guard works 40 hours a week? | it is the answer
            Is it so that a night guard works 40 hours a week? | it contains the answer
            What? | fewer than 3 words
            Who pays? And when do they pay? | not a single question
            Wer zahlt eine ist die Pacht? | verb 'ist'
            Wie viele Tage Tage Urlaub habe ich? | 'tage' is doubled
            Wie lange dauert die Pacht der? | ends with 'der'
            Wie lange ist die Pacht die Pacht eines Kahns? | 'die pacht' occurs twice
            """)
    void whatIsWrongIsNamed(String question, String reason) {
        String fault = QuestionForm.fault(question, "A night guard works 40 hours a week.").orElse("nothing");
        assertTrue(fault.contains(reason), fault);
    }

    /** Questions of people, and wordings that were judged by hand. */
    private static List<String> good() throws IOException {
        List<String> good = new ArrayList<>();
        for (String file : List.of("train.jsonl", "heldout.jsonl")) {
            ChatDataset.read(Path.of("../examples/handbook").resolve(file)).stream().forEach(row -> good.add(
                    row.messages().stream().filter(m -> m.role().equals("user")).map(ChatMessage::content).findFirst()
                            .orElseThrow()));
        }
        for (String file : List.of("english.txt", "german.txt")) {
            Files.readAllLines(Path.of("src/test/resources/augment").resolve(file)).stream()
                    .filter(line -> line.startsWith("? ") || line.startsWith("+ ")).forEach(line -> good.add(
                            line.substring(2)));
        }
        good.removeIf(text -> !text.endsWith("?") || text.indexOf('?') < text.length() - 1);
        return good;
    }

    @Test
    void hardlyAnyGoodQuestionIsRefused() throws IOException {
        List<String> refused = new ArrayList<>();
        List<String> good = good();
        good.forEach(question -> QuestionForm.fault(question, "So it is.").ifPresent(reason -> refused.add(question
                + " " + reason)));
        assertTrue(good.size() > 1200, "questions: " + good.size());
        assertEquals(List.of(), refused, refused.size() + " of " + good.size());
    }
}
