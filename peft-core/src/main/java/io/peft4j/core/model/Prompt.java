package io.peft4j.core.model;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;

/** What a model is asked: a chat that the template renders, plain text to continue, or token ids. */
public sealed interface Prompt {
    /** A chat; the template adds the header of the assistant's turn. */
    static Prompt chat(List<ChatMessage> messages) {
        return new Chat(messages);
    }

    /** A chat in which the model may call tools: JSON-like definitions, which the template shows. */
    static Prompt chat(List<ChatMessage> messages, List<Map<String, Object>> tools) {
        return new Chat(messages, tools);
    }

    /**
     * A conversation as a model takes it: a chat where it has a chat template; without one, a single message of the
     * user is a text to continue.
     */
    static Prompt of(LanguageModel model, List<ChatMessage> messages) {
        boolean text = model.chatTemplate().isEmpty() && messages.size() == 1
                && messages.get(0).role().equals("user");
        return text ? text(messages.get(0).content()) : chat(messages);
    }

    /** The task that the answer is computed as, where an adapter has several ({@link TokenSequence#task}). */
    int task();

    /** The same of a task. */
    Prompt inTask(int task);

    /** Plain text, encoded as {@link io.peft4j.core.text.Tokenizer#encodeToContinue} says. */
    static Prompt text(String text) {
        return new Text(text, TokenSequence.NO_TASK);
    }

    /** Token ids as they are. */
    static Prompt tokens(int... ids) {
        return new Tokens(ids, TokenSequence.NO_TASK);
    }

    /**
     * A chat.
     *
     * @param messages the turns so far
     * @param tools definitions of the tools that may be called; as a rule none
     * @param task the task of the answer
     */
    record Chat(List<ChatMessage> messages, List<Map<String, Object>> tools, int task) implements Prompt {
        /** Copies the lists. */
        public Chat {
            messages = List.copyOf(ConfigurationException.requireGiven(messages, "messages", "the turns so far"));
            tools = List.copyOf(tools);
        }

        /** A chat that names no task. */
        public Chat(List<ChatMessage> messages, List<Map<String, Object>> tools) {
            this(messages, tools, TokenSequence.NO_TASK);
        }

        /** A chat without tools. */
        public Chat(List<ChatMessage> messages) {
            this(messages, List.of());
        }

        @Override
        public Chat inTask(int other) {
            return new Chat(messages, tools, other);
        }
    }

    /**
     * Plain text.
     *
     * @param text the text to continue
     * @param task the task of the answer
     */
    record Text(String text, int task) implements Prompt {
        /** Checks that there is a text. */
        public Text {
            ConfigurationException.requireGiven(text, "text", "the text to continue");
        }

        @Override
        public Text inTask(int other) {
            return new Text(text, other);
        }
    }

    /**
     * Token ids.
     *
     * @param ids the ids to continue
     * @param task the task of the answer
     */
    record Tokens(int[] ids, int task) implements Prompt {
        /** Checks that there are ids. */
        public Tokens {
            ConfigurationException.requireGiven(ids, "ids", "the token ids to continue");
        }

        @Override
        public Tokens inTask(int other) {
            return new Tokens(ids, other);
        }
    }
}
