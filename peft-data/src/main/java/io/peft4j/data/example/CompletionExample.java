package io.peft4j.data.example;

import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A text and how it goes on.
 *
 * @param prompt what is given; not learned
 * @param completion what follows; learned
 * @param extra further fields of the row
 * @param origin where it stands
 */
public record CompletionExample(String prompt, String completion, Map<String, Object> extra, Origin origin)
        implements
            Example {
    /** Copies the map. */
    public CompletionExample {
        Objects.requireNonNull(prompt, "prompt");
        Objects.requireNonNull(completion, "completion");
        Objects.requireNonNull(origin, "origin");
        extra = ChatExample.copy(extra);
    }

    @Override
    public CompletionExample at(Origin place) {
        return new CompletionExample(prompt, completion, extra, place);
    }

    /** The prompt as the user's message, the completion as the answer. */
    @Override
    public Optional<ChatExample> toChat() {
        return Optional.of(new ChatExample(List.of(ChatMessage.user(prompt), ChatMessage.assistant(completion)),
                List.of(), extra, origin, true));
    }
}
