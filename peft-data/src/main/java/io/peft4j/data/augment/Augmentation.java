package io.peft4j.data.augment;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatExample;
import io.peft4j.data.near.QuestionText;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Writes more wordings of each question, by rules and by a model, for handbooks with few examples. A wording is kept
 * only where every number and name of the question survives and none is added, where it is a wording not seen yet, and
 * where it is none of the held-out questions, whose answers are to be measured. Answers stay as they are. What was
 * written carries the field {@code "generated"} with {@code "rule"} or {@code "model"}.
 */
public final class Augmentation {
    /** The field that marks what was written. */
    public static final String MARK = "generated";
    private static final String REQUEST = "Rewrite the question in other words. Keep every name and number. "
            + "Answer with "
            + "the question alone.\n\nQuestion: ";

    private final int perExample;
    private final Set<String> heldOut = new HashSet<>();
    private Optional<LanguageModel> model = Optional.empty();
    private GenerationOptions options = GenerationOptions.defaults().withSampling(0.8, 0, 0.95, 0);

    /**
     * So many new wordings of each question at most.
     *
     * @throws ConfigurationException when it is not positive
     */
    public Augmentation(int perExample) {
        if (perExample < 1) {
            throw new ConfigurationException(perExample + " wordings of a question are none; give at least 1");
        }
        this.perExample = perExample;
    }

    /** Questions that must not be written: those of held-out examples. */
    public Augmentation holdingOut(List<ChatExample> examples) {
        examples.forEach(example -> question(example).ifPresent(text -> heldOut.add(QuestionText.key(text))));
        return this;
    }

    /** Also asks a model for wordings, drawn at temperature 0.8 with seed 0. */
    public Augmentation with(LanguageModel newModel) {
        model = Optional.of(newModel);
        return this;
    }

    /** Also asks a model for wordings. */
    public Augmentation with(LanguageModel newModel, GenerationOptions newOptions) {
        model = Optional.of(newModel);
        options = Objects.requireNonNull(newOptions, "options");
        return this;
    }

    /** The new examples alone, in the order of those that they were made of. */
    public List<ChatExample> of(List<ChatExample> examples) {
        Set<String> seen = new HashSet<>(heldOut);
        examples.forEach(example -> question(example).ifPresent(text -> seen.add(QuestionText.key(text))));
        List<List<String>> told = model.map(m -> ask(m, examples)).orElse(List.of());
        List<ChatExample> written = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            Optional<String> question = question(examples.get(i));
            if (question.isEmpty()) {
                continue;
            }
            int left = perExample;
            for (String wording : told.isEmpty() ? List.<String>of() : told.get(i)) {
                left -= keep(examples.get(i), question.get(), wording, "model", left, seen, written);
            }
            for (String wording : QuestionRules.wordings(question.get())) {
                left -= keep(examples.get(i), question.get(), wording, "rule", left, seen, written);
            }
        }
        return written;
    }

    private static int keep(ChatExample example, String question, String wording, String by, int left,
            Set<String> seen, List<ChatExample> written) {
        boolean good = left > 0 && QuestionText.sameNamesAndNumbers(question, wording)
                && seen.add(QuestionText.key(wording));
        if (good) {
            written.add(with(example, wording, by));
        }
        return good ? 1 : 0;
    }

    private List<List<String>> ask(LanguageModel asked, List<ChatExample> examples) {
        List<Prompt> prompts = new ArrayList<>();
        for (ChatExample example : examples) {
            for (int n = 0; n < perExample; n++) {
                prompts.add(Prompt.chat(List.of(ChatMessage.user(REQUEST + question(example).orElse("")))));
            }
        }
        List<String> answers = asked.generate(prompts, options).stream()
                .map(completion -> firstLine(completion.text())).toList();
        List<List<String>> wordings = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            wordings.add(answers.subList(i * perExample, (i + 1) * perExample));
        }
        return wordings;
    }

    private static String firstLine(String text) {
        String line = text.strip().lines().findFirst().orElse("").strip();
        line = line.replaceFirst("^(?i:question|rewritten question)\\s*:\\s*", "");
        return line.length() > 1 && line.startsWith("\"") && line.endsWith("\"") ? line.substring(1, line.length() - 1)
                : line;
    }

    /** The one question of an example: a conversation of several turns depends on its beginning, and is left alone. */
    private static Optional<String> question(ChatExample example) {
        List<ChatMessage> users = example.messages().stream().filter(m -> m.role().equals("user")).toList();
        return users.size() == 1 ? Optional.of(users.get(0).content()) : Optional.empty();
    }

    private static ChatExample with(ChatExample example, String wording, String by) {
        List<ChatMessage> messages = example.messages().stream()
                .map(m -> m.role().equals("user") ? m.withContent(wording) : m).toList();
        Map<String, Object> extra = new LinkedHashMap<>(example.extra());
        extra.put(MARK, by);
        return new ChatExample(messages, example.tools(), extra, example.origin());
    }
}
