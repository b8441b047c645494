package io.peft4j.serve;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.PromptRows;
import io.peft4j.data.format.MessageReader;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * A prompt and how it is to be answered.
 *
 * @param prompt the prompt
 * @param options how
 */
record Question(Prompt prompt, GenerationOptions options) {
    /** The keys that hold a prompt. */
    static final List<String> FORMS = List.of("prompt", "messages", "inputs");
    /** More than a real-time endpoint waits for. */
    private static final int MOST = 256;
    /** SageMaker gives up after 60 seconds. */
    private static final long SECONDS = 55;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {
    };

    /**
     * The question of an object with a prompt and, beside it or under {@code parameters}, its parameters.
     *
     * @param defaults the parameters that it does not give
     */
    static Question of(JsonNode row, boolean textsAreChats, GenerationOptions defaults) {
        if (row.isTextual()) {
            return new Question(PromptRows.ofText(row.asText(), textsAreChats), defaults);
        }
        List<String> present = FORMS.stream().filter(row::has).toList();
        if (!row.isObject() || present.size() != 1) {
            throw new ConfigurationException("a question has one of " + FORMS + ", got "
                    + (row.isObject() ? names(row) : row.getNodeType()));
        }
        String form = present.get(0);
        Set<String> beside = names(row);
        beside.removeAll(List.of(form, "parameters"));
        GenerationOptions options = AnswerParameters.of(row, beside, defaults);
        if (row.has("parameters")) {
            options = AnswerParameters.of(row.get("parameters"), names(row.get("parameters")), options);
        }
        return new Question(prompt(row.get(form), form, textsAreChats), options);
    }

    private static Prompt prompt(JsonNode value, String form, boolean textsAreChats) {
        if (value.isTextual() && !form.equals("messages")) {
            return PromptRows.ofText(value.asText(), textsAreChats);
        }
        if (!value.isArray() || value.isEmpty()) {
            throw new ConfigurationException("\"" + form + "\" is " + value.getNodeType() + "; it must be "
                    + (form.equals("messages") ? "" : "a text or ") + "a list of messages");
        }
        List<ChatMessage> messages = new ArrayList<>();
        value.forEach(message -> messages.add(message(message)));
        while (!messages.isEmpty() && messages.get(messages.size() - 1).role().equals("assistant")) {
            messages.remove(messages.size() - 1);
        }
        if (messages.isEmpty()) {
            throw new ConfigurationException("there are only messages of the assistant, and nothing to answer");
        }
        return Prompt.chat(messages);
    }

    private static ChatMessage message(JsonNode node) {
        if (!node.isObject() || !MessageReader.ROLES.contains(node.path("role").asText())) {
            throw new ConfigurationException("a message is {\"role\": ..., \"content\": ...} with one of the roles "
                    + MessageReader.ROLES + ", got " + node);
        }
        try {
            return ChatMessage.fromMap(JSON.convertValue(node, OBJECT));
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("invalid message: " + e.getMessage(), e);
        }
    }

    static Set<String> names(JsonNode object) {
        Set<String> names = new LinkedHashSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }

    /**
     * The answers to questions, in their order; those with the same options in one batch.
     *
     * @throws ConfigurationException when there are none or too many, or they take too long
     */
    static List<Completion> answers(LanguageModel model, List<Question> questions) {
        if (questions.isEmpty() || questions.size() > MOST) {
            throw new ConfigurationException("a request holds from 1 to " + MOST + " questions, got "
                    + questions.size());
        }
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        List<Completion> answers = new ArrayList<>();
        int from = 0;
        while (from < questions.size()) {
            GenerationOptions options = questions.get(from).options();
            List<Prompt> prompts = new ArrayList<>();
            while (from < questions.size() && questions.get(from).options().equals(options)) {
                prompts.add(questions.get(from++).prompt());
            }
            answers.addAll(model.generate(prompts, options.withListener((index, piece) -> System.nanoTime() < end)));
            if (System.nanoTime() >= end) {
                throw new SlowAnswer();
            }
        }
        return answers;
    }

    /** The answers would come too late. */
    static final class SlowAnswer extends PeftException {
        private static final long serialVersionUID = 1;

        SlowAnswer() {
            super("the answers took longer than " + SECONDS + " seconds; ask for fewer tokens at once");
        }
    }
}
