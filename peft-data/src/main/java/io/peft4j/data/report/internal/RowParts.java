package io.peft4j.data.report.internal;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.example.TextExample;
import io.peft4j.data.pii.internal.FieldTexts;
import java.util.ArrayList;
import java.util.List;

/** The texts of an example with the roles that say them. */
final class RowParts {
    /**
     * A text.
     *
     * @param role who says it; {@code text} for plain text
     * @param where where it stands, for messages
     * @param text the text
     */
    record Part(String role, String where, String text) {
    }

    private RowParts() {
    }

    /** The texts in further fields of an example and of its messages, such as the arguments of calls. */
    static List<Part> fields(Example example) {
        List<Part> parts = new ArrayList<>();
        if (example instanceof PreferenceExample preference) {
            preference.prompt().forEach(message -> fields(message, parts));
            preference.preferred().forEach(message -> fields(message, parts));
            preference.rejected().forEach(message -> fields(message, parts));
        } else if (example instanceof ChatExample chat) {
            chat.messages().forEach(message -> fields(message, parts));
        }
        example.extra().forEach((key, value) -> FieldTexts.visit(value, text -> parts.add(new Part("field",
                "the field \"" + key + "\"", text))));
        return parts;
    }

    private static void fields(ChatMessage message, List<Part> parts) {
        message.extra().forEach((key, value) -> FieldTexts.visit(value, text -> parts.add(new Part("field", "\"" + key
                + "\" of a message (" + message.role() + ")", text))));
    }

    static List<Part> of(Example example) {
        List<Part> parts = new ArrayList<>();
        if (example instanceof TextExample text) {
            parts.add(new Part("text", "the text", text.text()));
        } else {
            ChatExample chat = example.toChat().orElseThrow();
            for (int i = 0; i < chat.messages().size(); i++) {
                ChatMessage message = chat.messages().get(i);
                parts.add(new Part(message.role(), "message " + (i + 1) + " (" + message.role() + ")",
                        message.content()));
            }
        }
        if (example instanceof PreferenceExample preference) {
            preference.rejected().forEach(message -> parts.add(new Part("rejected", "the rejected answer",
                    message.content())));
        }
        return parts;
    }
}
