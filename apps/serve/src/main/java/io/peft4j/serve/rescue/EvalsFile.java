package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.grader.Grader;
import io.peft4j.data.grader.GraderTemplate;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * An eval of OpenAI's Evals API: its {@code testing_criteria}, and the {@code data_source} of one of its runs with the
 * items and the messages in which they are asked, in one JSON object.
 */
final class EvalsFile {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double PASSES = 0.5;

    private final JsonNode root;
    private final AssertionCheck.Tools tools;

    EvalsFile(JsonNode root, AssertionCheck.Tools tools) {
        this.root = root;
        this.tools = tools;
    }

    static boolean isOne(JsonNode root) {
        return root.path("testing_criteria").isArray();
    }

    /** The tests; what is wrong is a {@link ConfigurationException} that names it. */
    List<Assertions.Test> tests() {
        JsonNode source = root.path("data_source");
        JsonNode rows = source.path("source").path("content");
        JsonNode template = source.path("input_messages").path("template");
        if (!rows.isArray() || rows.isEmpty() || !template.isArray() || template.isEmpty()) {
            throw new ConfigurationException("has testing criteria, but not the \"data_source\" of a run: "
                    + "\"source\" with \"content\", a list of items, and \"input_messages\" with a \"template\"");
        }
        List<Assertions.Test> tests = new ArrayList<>();
        for (JsonNode row : rows) {
            Map<String, Object> item = JSON.convertValue(row.path("item").isObject() ? row.get("item")
                    : JSON.createObjectNode(), new TypeReference<>() {
                    });
            Map<String, AssertionCheck> checks = new LinkedHashMap<>();
            for (JsonNode one : root.path("testing_criteria")) {
                checks.put(one.path("type").asText() + " " + one.path("name").asText(""), check(one, item));
            }
            tests.add(new Assertions.Test(messages(template, item, ""), checks));
        }
        return tests;
    }

    private AssertionCheck check(JsonNode one, Map<String, Object> item) {
        String type = one.path("type").asText();
        return switch (type) {
            case "score_model" -> GradedChecks.score(tools.required(type), asked(one, item),
                    one.path("pass_threshold").asDouble(PASSES));
            case "label_model" -> GradedChecks.label(tools.required(type), asked(one, item), texts(one, "labels"),
                    texts(one, "passing_labels"));
            case "text_similarity" -> one.path("evaluation_metric").asText().equals("cosine") ? cosine(one, item)
                    : graded(one, item);
            default -> graded(one, item);
        };
    }

    private static AssertionCheck graded(JsonNode one, Map<String, Object> item) {
        Grader grader = Graders.parse(one.toString(), GraderTools.NONE);
        return AssertionCheck.text(answer -> grader.grade(item, answer) >= one.path("pass_threshold").asDouble(PASSES));
    }

    private AssertionCheck cosine(JsonNode one, Map<String, Object> item) {
        GraderTemplate input = new GraderTemplate(one.path("input").asText());
        GraderTemplate reference = new GraderTemplate(one.path("reference").asText());
        return AssertionCheck.text(answer -> tools.similarity().apply(input.fill(item, answer), reference.fill(item,
                answer)) >= one.path("pass_threshold").asDouble(PASSES));
    }

    private static BiFunction<String, String, List<ChatMessage>> asked(JsonNode one, Map<String, Object> item) {
        return (question, answer) -> messages(one.path("input"), item, answer);
    }

    private static List<ChatMessage> messages(JsonNode template, Map<String, Object> item, String answer) {
        List<ChatMessage> messages = new ArrayList<>();
        template.forEach(turn -> {
            JsonNode content = turn.path("content").isObject() ? turn.path("content").path("text")
                    : turn.path("content");
            String role = turn.path("role").asText("user");
            messages.add(new ChatMessage(role.equals("developer") ? "system" : role, new GraderTemplate(
                    content.asText()).fill(item, answer)));
        });
        if (messages.isEmpty()) {
            throw new ConfigurationException("a grader has no \"input\" messages");
        }
        return messages;
    }

    private static List<String> texts(JsonNode one, String key) {
        List<String> texts = new ArrayList<>();
        one.path(key).forEach(text -> texts.add(text.asText()));
        if (texts.isEmpty()) {
            throw new ConfigurationException("a label_model needs a list \"" + key + "\"");
        }
        return texts;
    }
}
