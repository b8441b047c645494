package io.peft4j.data.clean;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.ClassificationExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.TextExample;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Changes to the turns of conversations. */
final class ConversationTurns {
    private ConversationTurns() {
    }

    /** Without empty turns; dropped where no answer, no question or no text is left. */
    static Optional<Example> withoutEmpty(Example example) {
        if (example instanceof TextExample text) {
            return text.text().isBlank() ? Optional.empty() : Optional.of(example);
        }
        if (!(example instanceof ChatExample chat)) {
            return Optional.of(example);
        }
        if (chat.continuation()) {
            boolean blank = chat.messages().get(chat.messages().size() - 1).content().isBlank();
            return blank ? Optional.empty() : Optional.of(example);
        }
        List<ChatMessage> kept = chat.messages().stream()
                .filter(message -> !message.content().isBlank() || message.hasToolCalls()
                        || message.role().equals("tool"))
                .toList();
        boolean answered = kept.stream().anyMatch(message -> message.role().equals("assistant"));
        boolean asked = kept.size() > 1 || chat.messages().size() == 1;
        return answered && asked ? Optional.of(with(chat, kept)) : Optional.empty();
    }

    /** Neighbouring turns of the user, or of the assistant, become one. */
    static Optional<Example> merged(Example example) {
        if (!(example instanceof ChatExample chat)) {
            return Optional.of(example);
        }
        List<ChatMessage> merged = new ArrayList<>();
        for (ChatMessage message : chat.messages()) {
            int last = merged.size() - 1;
            if (last >= 0 && canMerge(merged.get(last), message)) {
                merged.set(last, merged.get(last).withContent(merged.get(last).content() + "\n\n"
                        + message.content()));
            } else {
                merged.add(message);
            }
        }
        return Optional.of(with(chat, merged));
    }

    private static boolean canMerge(ChatMessage a, ChatMessage b) {
        boolean role = a.role().equals(b.role()) && (a.role().equals("user") || a.role().equals("assistant")
                || a.role().equals("system"));
        return role && a.extra().equals(b.extra()) && !a.hasToolCalls();
    }

    private static Example with(ChatExample chat, List<ChatMessage> messages) {
        return messages.equals(chat.messages()) ? chat
                : new ChatExample(messages, chat.tools(), chat.extra(), chat.origin(), chat.continuation());
    }

    /** Dropped where an answer gives nothing; a class may well be called unknown. */
    static Optional<Example> unlessRefused(Example example) {
        if (example instanceof ClassificationExample) {
            return Optional.of(example);
        }
        boolean refused = example.toChat().isPresent() && example.toChat().get().messages().stream()
                .anyMatch(message -> message.role().equals("assistant")
                        && EmptyAnswers.in(message.content()).isPresent());
        return refused ? Optional.empty() : Optional.of(example);
    }
}
