package io.peft4j.data.example;

import io.peft4j.core.model.TaskIds;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * One conversation of a data set.
 *
 * @param messages the turns, at least one of them the assistant's
 * @param tools JSON-like tool definitions, may be empty
 * @param extra further fields of the row, such as an expected fact; JSON-like
 * @param origin where it comes from
 * @param continuation whether it was a prompt and its completion, or a text alone, and no conversation: a model without
 *     a chat template learns it as that. A prompt is the user's message, what is learned the assistant's
 */
public record ChatExample(List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, Object> extra,
        Origin origin, boolean continuation) implements Example {
    /**
     * Copies the lists and maps.
     *
     * @throws IllegalArgumentException when there is no message
     */
    public ChatExample {
        messages = List.copyOf(messages);
        tools = tools.stream().map(ChatExample::copy).toList();
        extra = copy(extra);
        Objects.requireNonNull(origin, "origin");
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("a conversation needs at least one message");
        }
    }

    /** A conversation. */
    public ChatExample(List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, Object> extra,
            Origin origin) {
        this(messages, tools, extra, origin, false);
    }

    /** A prompt and its continuation, made in a program. A chat template makes a question with its answer of it. */
    public static ChatExample continuation(String prompt, String completion) {
        return continuation(prompt, completion, Map.of(), Origin.PROGRAM);
    }

    /** A prompt and its continuation, of a row with further fields. */
    public static ChatExample continuation(String prompt, String completion, Map<String, Object> extra,
            Origin origin) {
        return new ChatExample(List.of(ChatMessage.user(prompt), ChatMessage.assistant(completion)), List.of(), extra,
                origin, true);
    }

    /** A text of which every token is learned, made in a program. No chat template is written around it. */
    public static ChatExample text(String text) {
        return new TextExample(text, Map.of(), Origin.PROGRAM).toLearned();
    }

    /** An example made in a program; {@link ChatDataset#of} numbers it. */
    public static ChatExample of(ChatMessage... messages) {
        return new ChatExample(List.of(messages), List.of(), Map.of(), Origin.PROGRAM);
    }

    @Override
    public ChatExample at(Origin place) {
        return new ChatExample(messages, tools, extra, place, continuation);
    }

    /** The same of a task ({@link TaskIds}), {@link TokenSequence#NO_TASK} for none. */
    public ChatExample inTask(int task) {
        Map<String, Object> fields = new LinkedHashMap<>(extra);
        fields.remove(TaskIds.KEY);
        if (task != TokenSequence.NO_TASK) {
            fields.put(TaskIds.KEY, task);
        }
        return new ChatExample(messages, tools, fields, origin, continuation);
    }

    /** A copy in the same order; unlike that of {@link Map#copyOf} it may hold null, as JSON may. */
    static Map<String, Object> copy(Map<String, Object> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }

    /**
     * One example for each answer of the assistant that is learned: the conversation up to it, with nothing but this
     * answer learned. For templates that render earlier turns differently once others follow.
     */
    public List<ChatExample> answers() {
        List<ChatExample> answers = new ArrayList<>();
        List<ChatMessage> before = new ArrayList<>();
        for (ChatMessage message : messages) {
            if (message.role().equals("assistant") && isLearned(message)) {
                List<ChatMessage> turns = new ArrayList<>(before);
                turns.add(message);
                answers.add(new ChatExample(turns, tools, extra, origin, continuation));
            }
            before.add(unlearned(message));
        }
        return answers;
    }

    /** The same message; of the assistant with weight 0. */
    public static ChatMessage unlearned(ChatMessage message) {
        if (!message.role().equals("assistant")) {
            return message;
        }
        Map<String, Object> fields = new LinkedHashMap<>(message.extra());
        fields.put("weight", 0);
        return new ChatMessage(message.role(), message.content(), fields);
    }

    @Override
    public Optional<ChatExample> toChat() {
        return Optional.of(this);
    }

    /**
     * The turns before the last one of the assistant: what a model is asked for this example. All turns, where the
     * assistant has none.
     */
    public List<ChatMessage> prompt() {
        int last = messages.size() - 1;
        while (last >= 0 && !messages.get(last).role().equals("assistant")) {
            last--;
        }
        return last < 0 ? messages : messages.subList(0, last);
    }

    /** The turns without those of the assistant at their end: what is asked; empty if there are no others. */
    public static List<ChatMessage> asked(List<ChatMessage> turns) {
        int end = turns.size();
        while (end > 0 && turns.get(end - 1).role().equals("assistant")) {
            end--;
        }
        return turns.subList(0, end);
    }

    /** Whether it has texts alone: of the system first, if any, then of the user and the assistant in turn. */
    public boolean isPlain() {
        int from = messages.get(0).role().equals("system") ? 1 : 0;
        for (int i = from; i < messages.size(); i++) {
            if (!messages.get(i).role().equals((i - from) % 2 == 0 ? "user" : "assistant")) {
                return false;
            }
        }
        return tools.isEmpty() && messages.size() > from && (messages.size() - from) % 2 == 0
                && messages.stream().allMatch(message -> message.extra().isEmpty());
    }

    /** Whether a message of the assistant is learned: unless its weight is 0. */
    public static boolean isLearned(ChatMessage message) {
        return weight(message) != 0;
    }

    /** How much the tokens of a message of the assistant count: its {@code weight}, 1 where it has none. */
    public static float weight(ChatMessage message) {
        return message.extra().get("weight") instanceof Number weight ? weight.floatValue() : 1;
    }
}
