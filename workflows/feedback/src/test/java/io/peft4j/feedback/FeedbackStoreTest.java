package io.peft4j.feedback;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.error.ClosedException;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.feedback.Feedback.Rating;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeedbackStoreTest {
    private static final Instant NOW = Instant.parse("2026-11-27T12:00:00.123Z");
    private static final List<ChatMessage> ASKED = List.of(ChatMessage.user("How long is my notice period?"));

    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("feedback.jsonl");
    }

    private FeedbackStore open(Instant now) {
        return FeedbackStore.open(file(), FeedbackOptions.defaults(), Clock.fixed(now, ZoneOffset.UTC));
    }

    @Test
    void whatWasSaidIsThereAfterARestart() {
        List<Feedback> before;
        try (FeedbackStore store = open(NOW)) {
            store.rate(store.answered(ASKED, "90 days."), Rating.GOOD);
            String wrong = store.answered(ASKED, "30 days.", "user 7");
            store.rate(wrong, Rating.BAD);
            store.correct(wrong, "90 days, or less if both agree.");
            before = store.all();
        }
        try (FeedbackStore store = open(NOW)) {
            assertEquals(before, store.all());
            assertEquals(NOW, before.get(1).judged().orElseThrow());
        }
    }

    @Test
    void anInterruptedThreadKeepsItsAnswerAndLeavesTheStoreOpen() {
        try (FeedbackStore store = open(NOW)) {
            Thread.currentThread().interrupt();
            store.answered(ASKED, "90 days.");
            assertTrue(Thread.interrupted());
            store.answered(ASKED, "30 days.");
        }
        try (FeedbackStore store = open(NOW)) {
            assertEquals(2, store.all().size());
        }
    }

    @Test
    void aClosedStoreSaysSo() {
        FeedbackStore store = open(NOW);
        store.close();
        store.close();
        ClosedException e = assertThrows(ClosedException.class, () -> store.answered(ASKED, "90 days."));
        assertTrue(e.getMessage().contains(file() + " is closed"), e.getMessage());
    }

    @Test
    void correctionsAndGoodAnswersAreLearnedAndBadOnesAreNot() {
        try (FeedbackStore store = open(NOW)) {
            store.rate(store.answered(ASKED, "good"), Rating.GOOD);
            store.rate(store.answered(ASKED, "bad"), Rating.BAD);
            store.answered(ASKED, "not judged");
            String corrected = store.answered(ASKED, "wrong");
            store.correct(corrected, "right");

            assertEquals(List.of("good", "right"), store.examples().stream()
                    .map(example -> example.messages().get(1).content()).toList());
            PreferenceExample pair = store.preferences().get(0);
            assertEquals("right", pair.preferred().get(0).content());
            assertEquals("wrong", pair.rejected().get(0).content());
            assertEquals(1, store.preferences().size());
        }
    }

    @Test
    void earlierTurnsOfTheAssistantAreNotLearned() {
        try (FeedbackStore store = open(NOW)) {
            String id = store.answered(List.of(ChatMessage.user("Hi"), ChatMessage.assistant("Hello"),
                    ASKED.get(0)), "90 days.");
            store.rate(id, Rating.GOOD);

            ChatExample example = store.examples().examples().get(0);
            assertFalse(ChatExample.isLearned(example.messages().get(1)));
            assertTrue(ChatExample.isLearned(example.messages().get(3)));
        }
    }

    @Test
    void addressesAndNumbersOfAccountsAreNotWritten() throws IOException {
        try (FeedbackStore store = open(NOW)) {
            ChatMessage call = new ChatMessage("assistant", "", Map.of("tool_calls", List.of(Map.of("function",
                    Map.of("arguments", "{\"to\": \"ann@acme.example\"}")))));
            String id = store.answered(List.of(ChatMessage.user("I am ann@acme.example"), call),
                    "Hello ann@acme.example");
            store.correct(id, "I pay to DE89 3704 0044 0532 0130 00.");
        }
        String written = Files.readString(file());
        assertFalse(written.contains("ann@") || written.contains("3704"), written);
    }

    @Test
    void theFileIsForItsOwnerAlone() throws IOException {
        try (FeedbackStore store = open(NOW)) {
            String id = store.answered(ASKED, "90 days.");
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file())));
            store.delete(id);
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file())));
        }
    }

    @Test
    void whoeverAsksForItIsForgottenInTheFileToo() throws IOException {
        try (FeedbackStore store = open(NOW)) {
            store.answered(ASKED, "to user seven", "user 7");
            String other = store.answered(ASKED, "to another", "user 8");
            store.answered(ASKED, "to user seven again", "user 7");

            assertEquals(2, store.forget("user 7"));

            store.rate(other, Rating.GOOD);
            assertEquals(1, store.all().size());
        }
        assertFalse(Files.readString(file()).contains("user 7"));
        try (FeedbackStore store = open(NOW)) {
            assertEquals(Rating.GOOD, store.all().get(0).rating().orElseThrow());
        }
    }

    @Test
    void nothingIsKeptLongerThanWasSaid() throws IOException {
        try (FeedbackStore store = open(NOW.minus(Duration.ofDays(91)))) {
            store.answered(ASKED, "old");
        }
        try (FeedbackStore store = open(NOW)) {
            assertEquals(List.of(), store.all());
        }
        assertEquals("", Files.readString(file()));
    }

    @Test
    void ofTooManyAnswersThoseThatNobodyJudgedGoFirst() {
        FeedbackOptions few = FeedbackOptions.defaults().withMost(10);
        try (FeedbackStore store = FeedbackStore.open(file(), few)) {
            String first = store.answered(ASKED, "first");
            store.rate(first, Rating.GOOD);
            for (int i = 0; i < 30; i++) {
                store.answered(ASKED, "answer " + i);
            }
            assertTrue(store.all().size() <= 11, "kept " + store.all().size());
            assertTrue(store.find(first).isPresent(), "the judged one");
            assertEquals("answer 29", store.all().get(store.all().size() - 1).answer());
        }
    }

    @Test
    void aLineThatWasCutIsDroppedAndALineThatIsWrongIsNamed() throws IOException {
        try (FeedbackStore store = open(NOW)) {
            store.answered(ASKED, "90 days.");
        }
        Files.writeString(file(), "{\"type\":\"rati", StandardOpenOption.APPEND);
        try (FeedbackStore store = open(NOW)) {
            store.rate(store.all().get(0).id(), Rating.BAD);
        }
        assertEquals(2, Files.readAllLines(file()).size());
        Files.writeString(file(), "{\"type\":\"note\"}\n", StandardOpenOption.APPEND);
        String message = assertThrows(FileFormatException.class, () -> open(NOW)).getMessage();
        assertTrue(message.contains("line 3") && message.contains("\"type\" must be"), message);
    }

    @Test
    void aSecondStoreOfOneFileAndAnAnswerThatIsNotKeptAreRefused() {
        try (FeedbackStore store = open(NOW)) {
            assertTrue(assertThrows(ConfigurationException.class, () -> open(NOW)).getMessage()
                    .contains("is already open"));
            assertTrue(assertThrows(ConfigurationException.class, () -> store.rate("fb-1", Rating.GOOD)).getMessage()
                    .contains("no answer 'fb-1' is kept"));
        }
    }
}
