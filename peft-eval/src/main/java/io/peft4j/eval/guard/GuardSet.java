package io.peft4j.eval.guard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.Internal;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Expectation;
import io.peft4j.eval.task.MultipleChoice;
import io.peft4j.eval.task.ToolCheck;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * More than 600 questions on language, arithmetic, following instructions, general knowledge, reading and refusals,
 * written for PEFT4J. They are easy: they show what a training has cost, not how good a model is. All are asked by
 * likelihood, 150 also for an answer. Where the set cannot tell, {@link #plus} adds items of your own.
 */
public final class GuardSet {
    /** As long as the longest expected answer, and some more. */
    private static final int MAX_NEW_TOKENS = 24;
    /** A call with its arguments is longer. */
    private static final int MAX_CALL_TOKENS = 64;
    private static final TypeReference<List<Map<String, Object>>> OBJECTS = new TypeReference<>() {
    };
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<GuardItem> items;

    /** A set of your own. */
    public GuardSet(List<GuardItem> items) {
        this.items = List.copyOf(items);
    }

    /** The set that comes with the library. */
    public static GuardSet builtIn() {
        return ofResources("guard.jsonl", "guard-made.jsonl");
    }

    /** 24 questions that come with the library and show tools: of 16 a call is right, of 8 none is. */
    public static GuardSet tools() {
        return ofResources("guard-tools.jsonl");
    }

    private static GuardSet ofResources(String... names) {
        List<GuardItem> items = new ArrayList<>();
        for (String name : names) {
            try (InputStream in = GuardSet.class.getResourceAsStream(name)) {
                if (in == null) {
                    throw new FileNotFoundException("missing from the jar");
                }
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    items.add(item(JSON.readTree(line)));
                }
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read the built-in guard set " + name, e);
            }
        }
        return new GuardSet(items);
    }

    /**
     * A set of your own from a file of JSON Lines: {@code category}, {@code question}, {@code choices} with the right
     * one first, and where it is to be answered freely, too, one of {@code accept} (texts of which a right answer holds
     * one), {@code pattern} (found in a right answer) and {@code "refusal": true} (a right answer refuses). With
     * {@code tools} as OpenAI has them, {@code calls} are the right ones, {@code {"name", "arguments"}} each, or none,
     * and no choices are needed.
     *
     * @throws DataException when a row is no such item, or there is none
     * @throws UncheckedIOException when the file cannot be read
     */
    public static GuardSet read(Path file) {
        List<GuardItem> items = new ArrayList<>();
        long number = 0;
        try {
            for (String line : Files.readAllLines(file)) {
                number++;
                if (!line.isBlank()) {
                    items.add(item(JSON.readTree(line)));
                }
            }
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new DataException(file, number, "is not a guard set item: " + e.getMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
        if (items.isEmpty()) {
            throw new DataException(file, "contains no guard set items");
        }
        return new GuardSet(items);
    }

    /** These items, then those of another set. */
    public GuardSet plus(GuardSet other) {
        List<GuardItem> both = new ArrayList<>(items);
        both.addAll(other.items);
        return new GuardSet(both);
    }

    private static GuardItem item(JsonNode row) {
        if (!row.hasNonNull("question") || !row.hasNonNull("category")) {
            throw new IllegalArgumentException("it needs a category and a question; got " + row);
        }
        return new GuardItem(row.get("category").asText(), row.get("question").asText(), texts(row, "choices"),
                texts(row, "accept"), Optional.ofNullable(row.get("pattern")).map(p -> Pattern.compile(p.asText())),
                row.path("refusal").asBoolean(), Optional.ofNullable(row.get("tools")).map(tools -> calls(tools, row)));
    }

    private static ToolCheck calls(JsonNode tools, JsonNode row) {
        List<ToolCall> calls = new ArrayList<>();
        row.path("calls").forEach(call -> calls.add(ToolCall.of(call)));
        return new ToolCheck(JSON.convertValue(tools, OBJECTS), calls);
    }

    private static List<String> texts(JsonNode row, String key) {
        List<String> texts = new ArrayList<>();
        row.path(key).forEach(text -> texts.add(text.asText()));
        return texts;
    }

    /** The items. */
    public List<GuardItem> items() {
        return items;
    }

    /** Asks two models, and compares them. */
    @Internal
    public GuardReport compare(Answerer base, Answerer tuned, ComparisonOptions options) {
        return GuardReport.of(items, ask(base), ask(tuned), options);
    }

    /**
     * Asks a model: all items for the probability of the right choice, some also for an answer.
     *
     * @param answerer the model, with its cache
     */
    @Internal
    public GuardReport.GuardOutcomes ask(Answerer answerer) {
        String[] answers = new String[items.size()];
        Arrays.fill(answers, "");
        boolean[] generated = new boolean[items.size()];
        for (boolean calls : new boolean[] {false, true}) {
            int[] asked = places(item -> item.isAsked() && item.tools().isPresent() == calls);
            List<String> free = answerer.withMaxNewTokens(calls ? MAX_CALL_TOKENS : MAX_NEW_TOKENS)
                    .answers(IntStream.of(asked).mapToObj(i -> question(items.get(i))).toList());
            for (int i = 0; i < asked.length; i++) {
                answers[asked[i]] = free.get(i);
                generated[asked[i]] = items.get(asked[i]).isAnsweredBy(free.get(i));
            }
        }
        double[] chosen = IntStream.range(0, items.size()).mapToDouble(i -> generated[i] ? 1 : 0).toArray();
        int[] given = places(item -> !item.choices().isEmpty());
        List<MultipleChoice.Outcome> outcomes = given.length == 0 ? List.of() : MultipleChoice.of(answerer.model()).on(
                IntStream.of(given).mapToObj(items::get).map(item -> new MultipleChoice.Question(Prompt.of(answerer
                        .model(), List.of(ChatMessage.user(item.question()))), item.choices(), 0)).toList())
                .outcomes();
        for (int i = 0; i < given.length; i++) {
            chosen[given[i]] = outcomes.get(i).probabilities()[0];
        }
        return new GuardReport.GuardOutcomes(List.of(answers), generated, chosen);
    }

    private int[] places(Predicate<GuardItem> chosen) {
        return IntStream.range(0, items.size()).filter(i -> chosen.test(items.get(i))).toArray();
    }

    private static EvaluationItem question(GuardItem item) {
        return new EvaluationItem(List.of(ChatMessage.user(item.question())), item.choices().stream().limit(1).toList(),
                List.of(), item.tools().map(Expectation.NONE::withTools).orElse(Expectation.NONE));
    }

    @Override
    public String toString() {
        return "guard set of " + items.size() + " items";
    }
}
