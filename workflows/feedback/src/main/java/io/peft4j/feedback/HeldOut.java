package io.peft4j.feedback;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32;

/**
 * Feedback to learn and feedback to test with, by the words of the question.
 *
 * @param learned what is learned
 * @param test what never is
 */
record HeldOut(List<ChatExample> learned, List<ChatExample> test) {
    private static final double VALUES = 0x1p32;

    HeldOut {
        learned = List.copyOf(learned);
        test = List.copyOf(test);
    }

    static HeldOut of(List<Feedback> feedback, double share) {
        List<ChatExample> learned = new ArrayList<>();
        List<ChatExample> test = new ArrayList<>();
        feedback.forEach(one -> one.example().ifPresent((isHeldOut(one.asked(), share) ? test : learned)::add));
        return new HeldOut(learned, test);
    }

    /** The same for the same words in any order, filling words and inflection aside, so that none leaks. */
    static boolean isHeldOut(List<ChatMessage> asked, double share) {
        String words = asked.stream().map(turn -> QuestionText.looseKey(turn.content()))
                .collect(Collectors.joining("\n"));
        CRC32 hash = new CRC32();
        hash.update(words.getBytes(StandardCharsets.UTF_8));
        return hash.getValue() < share * VALUES;
    }
}
