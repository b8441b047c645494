package io.peft4j.serve.rescue;

import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.ChatDataset.Split;
import io.peft4j.data.SplitOptions;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.data.format.DataFile;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.train.objective.DecisionOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a tuned model learned, and what it is asked.
 *
 * @param chats what is learned here, where answers were learned
 * @param preferences what is learned here, where preferences were
 * @param questions what both models are asked
 * @param rows rows of the training file
 */
record RescueData(ChatDataset chats, List<PreferenceExample> preferences, List<EvaluationItem> questions, int rows) {
    private static final String PREFERENCES = "dpo";
    /** The longest answer that is an option, in characters. */
    private static final int LONGEST_OPTION = 80;
    private static final List<String> METHODS = List.of("supervised", PREFERENCES, "unknown");

    RescueData {
        preferences = List.copyOf(preferences);
        questions = List.copyOf(questions);
    }

    /**
     * Reads the files of a model. Without a validation file and prompts, some groups of alike rows are held out of the
     * training here, which the old model has learned.
     */
    static RescueData read(Path training, Optional<Path> validation, TunedModel model, RescueOptions options,
            double heldOut, long seed) {
        if (!METHODS.contains(model.method())) {
            throw new ConfigurationException("unsupported fine-tuning method " + model.method()
                    + "; supported are supervised and dpo");
        }
        if (model.method().equals(PREFERENCES)) {
            List<PreferenceExample> pairs = preferences(training);
            List<EvaluationItem> asked = options.prompts().map(file -> items(ChatDataset.read(file),
                    options.questions())).orElseGet(() -> items(
                            chats(validation.map(RescueData::preferences)
                                    .orElse(pairs)),
                            options.questions()));
            return new RescueData(ChatDataset.of(List.of()), pairs, asked, pairs.size());
        }
        ChatDataset all = ChatDataset.read(training);
        Optional<Path> asked = options.prompts().or(() -> validation);
        if (asked.isPresent()) {
            return new RescueData(all, List.of(), items(ChatDataset.read(asked.get()), options.questions()),
                    all.size());
        }
        Split split = all.split(SplitOptions.ratios(1 - heldOut, heldOut).seed(seed));
        return new RescueData(split.train(), List.of(), items(split.test(), options.questions()), all.size());
    }

    /** The choice between all answers that were learned, where these are few and short. */
    Optional<DecisionQuestion> choice() {
        boolean isShort = !chats.examples().isEmpty() && chats.stream().allMatch(chat -> {
            ChatMessage last = chat.messages().get(chat.messages().size() - 1);
            String answer = last.content().strip();
            return last.role().equals("assistant") && !answer.isEmpty() && answer.length() <= LONGEST_OPTION
                    && answer.indexOf('\n') < 0;
        });
        try {
            return isShort ? DecisionSource.CHATS.question(chats.examples(), DecisionOptions.DEFAULT.question())
                    : Optional.empty();
        } catch (ConfigurationException e) {
            // One answer alone, or too many different ones.
            return Optional.empty();
        }
    }

    private static List<PreferenceExample> preferences(Path file) {
        return RowKind.PREFERENCES.read(DataFile.of(file));
    }

    /** The preferred answers. */
    static ChatDataset chats(List<PreferenceExample> pairs) {
        return ChatDataset.of(pairs.stream().flatMap(pair -> pair.toChat().stream()).toList());
    }

    /** The questions of conversations with an answer, evenly from beginning to end. */
    static List<EvaluationItem> items(ChatDataset chats, int most) {
        List<ChatExample> answered = chats.stream().filter(chat -> !chat.prompt().isEmpty()
                && chat.prompt().size() < chat.messages().size()).toList();
        int count = Math.min(most, answered.size());
        return EvaluationItem.all(IntStream.range(0, count).mapToObj(i -> answered.get((int) ((long) i * answered.size()
                / count))).toList());
    }
}
