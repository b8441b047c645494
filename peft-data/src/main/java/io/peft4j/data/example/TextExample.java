package io.peft4j.data.example;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Plain text; all of its tokens are learned.
 *
 * @param text the text
 * @param extra further fields of the row
 * @param origin where it comes from
 */
@Internal(shared = true)
public record TextExample(String text, Map<String, Object> extra, Origin origin) implements Example {
    /** Copies the map. */
    public TextExample {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(origin, "origin");
        extra = ChatExample.copy(extra);
    }

    @Override
    public TextExample at(Origin place) {
        return new TextExample(text, extra, place);
    }

    /** As what a model learns: a continuation of nothing. */
    public ChatExample toLearned() {
        return new ChatExample(List.of(ChatMessage.assistant(text)), List.of(), extra, origin, true);
    }

    @Override
    public Optional<ChatExample> toChat() {
        return Optional.empty();
    }
}
