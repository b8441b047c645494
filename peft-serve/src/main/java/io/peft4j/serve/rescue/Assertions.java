package io.peft4j.serve.rescue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.FormatCheck;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Assertions on answers in Promptfoo's form, as its exports of OpenAI's Evals have it:
 *
 * <pre>{@code
 * {"tests": [{"vars": {"question": "What is the notice period?"},
 *             "assert": [{"type": "contains", "value": "90"}, {"type": "regex", "value": "\\d+ days"}]}],
 *  "prompts": ["{{question}}"]}
 * }</pre>
 *
 * <p>Types: {@code contains}, {@code icontains}, {@code equals}, {@code regex}, {@code is-json} with a schema as its
 * value, {@code similar} with a {@code threshold}; {@code not-} before a type turns it around, {@code contains-all} and
 * {@code contains-any} take a list. A prompt is the first of {@code prompts} with the variables put in, or the variable
 * {@code prompt} or {@code question} where there is none.
 */
public final class Assertions {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String NOT = "not-";
    private static final double SIMILAR = 0.75;
    /** Grades that a model gives need one. */
    private static final List<String> GRADED = List.of("llm-rubric", "model-graded-closedqa", "factuality",
            "g-eval", "answer-relevance");

    private final List<Test> tests;

    /**
     * A question with what is asserted of its answer.
     *
     * @param question what is asked
     * @param checks by what they are called in reports
     */
    record Test(List<ChatMessage> question, Map<String, Predicate<String>> checks) {
    }

    /**
     * What a model passes.
     *
     * @param passed number of assertions that hold
     * @param failures those that do not: question, assertion and answer
     */
    public record Outcome(int passed, List<String> failures) {
        /** Copies the list. */
        public Outcome {
            failures = List.copyOf(failures);
        }
    }

    private Assertions(List<Test> tests) {
        this.tests = List.copyOf(tests);
    }

    /**
     * Reads a file.
     *
     * @param similarity compares two texts, 0 to 1
     * @throws FileFormatException when it is of another form, or asserts something that is not known here
     */
    public static Assertions read(Path file, BiFunction<String, String, Double> similarity) {
        JsonNode root;
        try {
            root = JSON.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw new FileFormatException(file, "is not valid JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        JsonNode rows = root.isArray() ? root : root.path("tests");
        if (!rows.isArray() || rows.isEmpty()) {
            throw new FileFormatException(file, "has no list \"tests\" of objects with \"vars\" and \"assert\"");
        }
        List<Test> tests = new ArrayList<>();
        for (JsonNode row : rows) {
            String place = "test " + (tests.size() + 1);
            tests.add(new Test(List.of(ChatMessage.user(prompt(file, place, root, row))),
                    checks(file, place, row.path("assert"), similarity)));
        }
        return new Assertions(tests);
    }

    private static String prompt(Path file, String place, JsonNode root, JsonNode row) {
        JsonNode vars = row.path("vars");
        JsonNode template = root.path("prompts").path(0);
        if (template.isTextual()) {
            String[] text = {template.asText()};
            vars.properties().forEach(one -> text[0] = text[0].replaceAll("\\{\\{\\s*" + Pattern.quote(one.getKey())
                    + "\\s*}}", java.util.regex.Matcher.quoteReplacement(one.getValue().asText())));
            return text[0];
        }
        for (String name : List.of("prompt", "question", "input", "query")) {
            if (vars.path(name).isTextual()) {
                return vars.get(name).asText();
            }
        }
        throw new FileFormatException(file, place + " has no prompt: give \"prompts\" at the top, or a variable "
                + "\"question\"");
    }

    private static Map<String, Predicate<String>> checks(Path file, String place, JsonNode list,
            BiFunction<String, String, Double> similarity) {
        Map<String, Predicate<String>> checks = new java.util.LinkedHashMap<>();
        for (JsonNode one : list) {
            String type = one.path("type").asText();
            boolean turned = type.startsWith(NOT);
            try {
                Predicate<String> check = check(turned ? type.substring(NOT.length()) : type, one, similarity);
                checks.put(type + " " + one.path("value"), turned ? check.negate() : check);
            } catch (ConfigurationException | PatternSyntaxException e) {
                throw new FileFormatException(file, place + ": " + e.getMessage(), e);
            }
        }
        if (checks.isEmpty()) {
            throw new FileFormatException(file, place + " asserts nothing");
        }
        return checks;
    }

    private static Predicate<String> check(String type, JsonNode one, BiFunction<String, String, Double> similarity) {
        JsonNode value = one.path("value");
        String text = value.asText();
        return switch (type) {
            case "contains" -> answer -> answer.contains(text);
            case "icontains" -> answer -> lower(answer).contains(lower(text));
            case "contains-all" -> all(value)::allContainedIn;
            case "contains-any" -> all(value)::anyContainedIn;
            case "equals" -> answer -> answer.strip().equals(text.strip());
            case "starts-with" -> answer -> answer.startsWith(text);
            case "regex" -> {
                Pattern pattern = Pattern.compile(text);
                yield answer -> pattern.matcher(answer).find();
            }
            case "is-json" -> value.isObject() ? FormatCheck.jsonSchema(value.toString())::accepts : Assertions::isJson;
            case "similar" -> answer -> similarity.apply(answer, text) >= one.path("threshold").asDouble(SIMILAR);
            default -> throw new ConfigurationException(GRADED.contains(type) ? "'" + type + "' is graded by a model; "
                    + "leave it out, or ask a judge by peft4j evaluate" : "unknown assertion '" + type + "'; known are "
                    + "contains, icontains, contains-all, contains-any, equals, starts-with, regex, is-json and "
                    + "similar");
        };
    }

    private record Texts(List<String> texts) {
        boolean allContainedIn(String answer) {
            return texts.stream().allMatch(answer::contains);
        }

        boolean anyContainedIn(String answer) {
            return texts.stream().anyMatch(answer::contains);
        }
    }

    private static Texts all(JsonNode value) {
        List<String> texts = new ArrayList<>();
        value.forEach(one -> texts.add(one.asText()));
        if (texts.isEmpty()) {
            throw new ConfigurationException("contains-all and contains-any need a list of texts");
        }
        return new Texts(texts);
    }

    private static boolean isJson(String answer) {
        try {
            return !JSON.readTree(answer).isMissingNode();
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /** The questions. */
    List<List<ChatMessage>> questions() {
        return tests.stream().map(Test::question).toList();
    }

    /** Judges an answer to each question. */
    Outcome judge(List<String> answers) {
        int passed = 0;
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < tests.size(); i++) {
            for (Map.Entry<String, Predicate<String>> check : tests.get(i).checks().entrySet()) {
                if (check.getValue().test(answers.get(i))) {
                    passed++;
                } else {
                    failures.add(tests.get(i).question().get(0).content() + " must " + check.getKey() + "; answered: "
                            + answers.get(i));
                }
            }
        }
        return new Outcome(passed, failures);
    }
}
