package io.peft4j.data.example;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A text and the class that it belongs to.
 *
 * @param text the text
 * @param label the name of the class
 * @param extra further fields of the row
 * @param origin where it comes from
 */
@Internal
public record ClassificationExample(String text, String label, Map<String, Object> extra, Origin origin)
        implements
            Example {
    /** Copies the map. */
    public ClassificationExample {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(label, "label");
        Objects.requireNonNull(origin, "origin");
        extra = ChatExample.copy(extra);
    }

    @Override
    public ClassificationExample at(Origin place) {
        return new ClassificationExample(text, label, extra, place);
    }

    /** The text as the user's message, the name of the class as the answer. */
    @Override
    public Optional<ChatExample> toChat() {
        return Optional.of(new ChatExample(List.of(ChatMessage.user(text), ChatMessage.assistant(label)), List.of(),
                extra, origin));
    }
}
