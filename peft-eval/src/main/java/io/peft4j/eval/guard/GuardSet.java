package io.peft4j.eval.guard;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.MultipleChoice;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * 150 questions on language, arithmetic, following instructions, general knowledge and refusals, written for PEFT4J. It
 * is small: it shows what a training has cost, not how good a model is.
 */
public final class GuardSet {
    /** As long as the longest expected answer, and some more. */
    private static final int MAX_NEW_TOKENS = 24;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<GuardItem> items;

    /** A set of your own. */
    public GuardSet(List<GuardItem> items) {
        this.items = List.copyOf(items);
    }

    /** The set that comes with the library. */
    public static GuardSet builtIn() {
        List<GuardItem> items = new ArrayList<>();
        try (InputStream in = GuardSet.class.getResourceAsStream("guard.jsonl")) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                items.add(item(JSON.readTree(line)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the built-in guard set", e);
        }
        return new GuardSet(items);
    }

    private static GuardItem item(JsonNode row) {
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

    /**
     * Asks a model, in both forms.
     *
     * @param answerer the model, with its cache
     */
    public GuardOutcomes ask(Answerer answerer) {
        Answerer brief = answerer.withMaxNewTokens(MAX_NEW_TOKENS);
        List<List<ChatMessage>> prompts = items.stream().map(item -> List.of(ChatMessage.user(item.question())))
                .toList();
        List<String> answers = brief.answers(prompts);
        boolean[] generated = new boolean[items.size()];
        boolean[] chosen = new boolean[items.size()];
        List<MultipleChoice.Question> questions = new ArrayList<>();
        for (int i = 0; i < generated.length; i++) {
            generated[i] = items.get(i).isAnsweredBy(answers.get(i));
            questions.add(new MultipleChoice.Question(Prompt.of(answerer.model(), prompts.get(i)),
                    items.get(i).choices(), 0));
        }
        List<MultipleChoice.Outcome> outcomes = MultipleChoice.of(answerer.model()).on(questions).outcomes();
        for (int i = 0; i < chosen.length; i++) {
            chosen[i] = outcomes.get(i).correctNormalized();
        }
        return new GuardOutcomes(answers, generated, chosen);
    }

    @Override
    public String toString() {
        return "guard set of " + items.size() + " items";
    }
}
