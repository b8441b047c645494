package io.peft4j.feedback;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.feedback.Feedback.Rating;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * An answer and what became of it.
 *
 * @param id what the application calls it
 * @param time when it was given
 * @param asked the conversation up to the answer
 * @param answer what the model said
 * @param subject whose data it is, as the application calls them, so that it can be deleted for them
 * @param rating a user's opinion of it
 * @param correction the right answer, where a user wrote one
 * @param judged when it was last rated or corrected
 */
public record Feedback(String id, Instant time, List<ChatMessage> asked, String answer, Optional<String> subject,
        Optional<Rating> rating, Optional<String> correction, Optional<Instant> judged) {
    /** Copies the list. */
    public Feedback {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(time, "time");
        asked = List.copyOf(asked);
        Objects.requireNonNull(answer, "answer");
    }

    Feedback rated(Rating value, Instant now) {
        return new Feedback(id, time, asked, answer, subject, Optional.of(value), correction, Optional.of(now));
    }

    Feedback corrected(String right, Instant now) {
        return new Feedback(id, time, asked, answer, subject, rating, Optional.of(right), Optional.of(now));
    }

    /** The right answer, as far as it is known: the correction, or what was said where that is rated good. */
    public Optional<String> right() {
        return correction.or(() -> rating.filter(Rating.GOOD::equals).map(good -> answer));
    }

    /** The conversation with the right answer, of which that alone is learned; empty where it is not known. */
    public Optional<ChatExample> example() {
        return right().map(text -> {
            List<ChatMessage> messages = new ArrayList<>();
            asked.forEach(turn -> messages.add(ChatExample.unlearned(turn)));
            messages.add(ChatMessage.assistant(text));
            return new ChatExample(messages, List.of(), Map.of(), Origin.PROGRAM);
        });
    }

    /** The correction before what was said, for training by preferences; empty where it was not corrected. */
    public Optional<PreferenceExample> preference() {
        return correction.filter(text -> !text.equals(answer)).map(text -> new PreferenceExample(asked,
                List.of(ChatMessage.assistant(text)), List.of(ChatMessage.assistant(answer)), List.of(), Map.of(),
                Origin.PROGRAM));
    }

    /** A user's opinion of an answer. */
    public enum Rating {
        /** It is right; it may be learned. */
        GOOD,
        /** It is wrong; it is not learned. */
        BAD;

        /** @throws IllegalArgumentException for another word */
        static Rating of(String key) {
            return valueOf(key.toUpperCase(Locale.ROOT));
        }

        String key() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
