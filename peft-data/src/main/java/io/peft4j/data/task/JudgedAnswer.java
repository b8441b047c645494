package io.peft4j.data.task;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.Objects;

/**
 * A conversation whose last answer was judged.
 *
 * @param chat the conversation
 * @param desirable whether the answer is good
 */
public record JudgedAnswer(ChatExample chat, boolean desirable) {
    /** Checks that there is a conversation. */
    public JudgedAnswer {
        Objects.requireNonNull(chat, "chat");
    }

    /** An answer to a prompt, made in a program. */
    public static JudgedAnswer of(String prompt, String answer, boolean desirable) {
        return new JudgedAnswer(ChatExample.of(ChatMessage.user(prompt), ChatMessage.assistant(answer)), desirable);
    }

    /** Whether the last answer says nothing. */
    public boolean isEmpty() {
        ChatMessage last = chat.messages().get(Math.min(chat.prompt().size(), chat.messages().size() - 1));
        return last.content().isBlank() && !last.hasToolCalls();
    }
}
