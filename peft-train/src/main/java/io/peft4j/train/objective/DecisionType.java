package io.peft4j.train.objective;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.DecisionSource;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.RowKind;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** The objective {@code decision} by its name, for each kind of row that it learns. */
abstract class DecisionType<E> extends ObjectiveType<E> {
    private static final ObjectiveOption<String> QUESTION = ObjectiveOption.word("question", "TEXT",
            "what is asked of rows that have a label and no question", DecisionOptions.DEFAULT.question());
    private static final ObjectiveOption<String> WEIGHTS = ObjectiveOption.word("question-weights", "NAME=W,...",
            "the weights of the losses of questions", "");
    private static final ObjectiveOption<Double> ORDINAL = ObjectiveOption.number("ordinal-distance", "X",
            "the weight of the distance between the level of a score and the right one", 0);
    private static final ObjectiveOption<String> ORDERS = ObjectiveOption.word("option-orders", "fixed|drawn",
            "whether each example has the options of a choice in an order of its own", "fixed");
    private static final ObjectiveOption<String> LABELS = ObjectiveOption.word("option-labels", "names|letters",
            "what a chat model answers a choice with: the first token of an option's name, or a letter", "names");

    private final DecisionSource<E> source;

    DecisionType(RowKind<E> rows, String about, DecisionSource<E> source) {
        super("decision", rows, about, QUESTION, WEIGHTS, ORDINAL, ORDERS, LABELS, ObjectiveOption.LABEL_SMOOTHING,
                ObjectiveOption.MAX_LENGTH);
        this.source = source;
    }

    /** Encoders get a head for options; a chat model stays what it is, and answers by labels. */
    @Override
    public Optional<Function<List<E>, Task>> task() {
        return Optional.of(rows -> Task.DECISION);
    }

    @Override
    protected Function<LanguageModel, Objective<E>> objective(ObjectiveValues values) {
        DecisionOptions options = new DecisionOptions(values.get(QUESTION),
                DecisionOptions.weights(values.get(WEIGHTS)), 0, values.get(ORDINAL),
                isFirst(values, ORDERS, "the orders of options", "drawn", "fixed"),
                isFirst(values, LABELS, "the labels of options", "names", "letters"));
        return model -> new DecisionObjective<>(model, source, options);
    }

    private static boolean isFirst(ObjectiveValues values, ObjectiveOption<String> option, String what, String first,
            String second) {
        String given = values.get(option);
        if (!given.equals(first) && !given.equals(second)) {
            throw new ConfigurationException(what + " are '" + given + "'; they are " + first + " or " + second);
        }
        return given.equals(first);
    }

    /** Rows of questions. */
    public static final class Rows extends DecisionType<DecisionRow> {
        /** What is registered. */
        public Rows() {
            super(RowKind.DECISIONS, "{\"state\", \"questions\"} with \"expected\" or \"gold\" for them",
                    DecisionSource.ROWS);
        }
    }

    /** Texts with labels. */
    public static final class Texts extends DecisionType<LabelledText> {
        /** What is registered. */
        public Texts() {
            super(RowKind.TEXTS, "{\"text\", \"label\"}: a choice between the labels", DecisionSource.TEXTS);
        }
    }

    /** Conversations that end with a label. */
    public static final class Chats extends DecisionType<ChatExample> {
        /** What is registered. */
        public Chats() {
            super(ChatDataset.ROWS, "chats whose answer is a label", DecisionSource.CHATS);
        }
    }
}
