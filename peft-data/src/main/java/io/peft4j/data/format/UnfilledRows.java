package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.Example;
import java.util.Optional;

/** Rows that are made for people to fill in: the placeholder of their question, and how it is found again. */
@Internal(shared = true)
public final class UnfilledRows {
    /** The code of a row that was not filled in. */
    public static final String UNFILLED = "unfilled_row";
    private static final String BEGIN = "[fill in: ";
    private static final String END = "]";

    private UnfilledRows() {
    }

    /** The placeholder of a question about something. */
    static String question(String about) {
        return BEGIN + "a question about " + about + END;
    }

    /** The text of an example that was not filled in; empty where all is filled. */
    public static Optional<String> unfilled(Example example) {
        return example.toChat().flatMap(chat -> chat.messages().stream().map(ChatMessage::content)
                .filter(text -> text.strip().startsWith(BEGIN) && text.strip().endsWith(END)).findFirst());
    }

    /** What is wrong with a row that was not filled in. It is read all the same: who makes skeletons writes them. */
    public static String fault(String text) {
        return "the question is not filled in: '" + text.strip() + "'; write the question, or remove the row";
    }
}
