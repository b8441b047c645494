package io.peft4j.eval.guard;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.MultipleChoice;
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
import java.util.Optional;
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
    private static final List<String> BUILT_IN = List.of("guard.jsonl", "guard-made.jsonl");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<GuardItem> items;

    /** A set of your own. */
    public GuardSet(List<GuardItem> items) {
        this.items = List.copyOf(items);
    }

    /** The set that comes with the library. */
    public static GuardSet builtIn() {
        List<GuardItem> items = new ArrayList<>();
        for (String name : BUILT_IN) {
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
     * one), {@code pattern} (found in a right answer) and {@code "refusal": true} (a right answer refuses).
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
                row.path("refusal").asBoolean());
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
    public GuardReport compare(Answerer base, Answerer tuned, ComparisonOptions options) {
        return GuardReport.of(items, ask(base), ask(tuned), options);
    }

    /**
     * Asks a model: all items for the probability of the right choice, some also for an answer.
     *
     * @param answerer the model, with its cache
     */
    public GuardReport.GuardOutcomes ask(Answerer answerer) {
        String[] answers = new String[items.size()];
        Arrays.fill(answers, "");
        boolean[] generated = new boolean[items.size()];
        int[] asked = IntStream.range(0, items.size()).filter(i -> items.get(i).isAsked()).toArray();
        List<String> free = answerer.withMaxNewTokens(MAX_NEW_TOKENS)
                .answers(IntStream.of(asked).mapToObj(i -> prompt(items.get(i))).toList());
        for (int i = 0; i < asked.length; i++) {
            answers[asked[i]] = free.get(i);
            generated[asked[i]] = items.get(asked[i]).isAnsweredBy(free.get(i));
        }
        double[] chosen = MultipleChoice.of(answerer.model()).on(items.stream().map(item -> new MultipleChoice.Question(
                Prompt.of(answerer.model(), prompt(item)), item.choices(), 0)).toList()).outcomes().stream()
                .mapToDouble(outcome -> outcome.probabilities()[0]).toArray();
        return new GuardReport.GuardOutcomes(List.of(answers), generated, chosen);
    }

    private static List<ChatMessage> prompt(GuardItem item) {
        return List.of(ChatMessage.user(item.question()));
    }

    @Override
    public String toString() {
        return "guard set of " + items.size() + " items";
    }
}
