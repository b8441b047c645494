package io.peft4j.cli;

import io.peft4j.core.model.Task;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.TaskRows;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.ContrastiveObjective;
import io.peft4j.train.objective.QuestionAnsweringObjective;
import io.peft4j.train.objective.SourceTargetObjective;
import io.peft4j.train.objective.TokenClassificationObjective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What is minimized, and so what the rows of the data are. */
@HelpGroup("Objective")
final class ObjectiveOptions {
    @Option(names = "--objective", paramLabel = "NAME", defaultValue = "sft", description = {"What is learned from "
            + "the rows. Default: ${DEFAULT-VALUE}",
        "  sft                   the answers of chats; of encoder-decoders {\"source\", \"target\"}",
        "  classification        {\"text\", \"label\"}, with \"text_pair\"; a list of labels where several can be",
        "                        right, a number with a point for a regression",
        "  token-classification  {\"tokens\", \"labels\"}",
        "  question-answering    {\"question\", \"context\", \"answers\"}",
        "  contrastive           {\"anchor\", \"positive\"}, with \"negative\""})
    private Kind objective;

    /** The objectives, named as their options are. */
    enum Kind {
        SFT, CLASSIFICATION, TOKEN_CLASSIFICATION, QUESTION_ANSWERING, CONTRASTIVE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** The objective of a name. */
    static Kind kind(String name) {
        return Arrays.stream(Kind.values()).filter(kind -> kind.toString().equals(name)).findFirst()
                .orElseThrow(() -> new TypeConversionException("unknown objective '" + name + "'; use one of "
                        + Arrays.toString(Kind.values())));
    }

    /** Whether options of chats have a meaning. */
    boolean isOfChats() {
        return objective == Kind.SFT;
    }

    TrainingData read(Path data, Optional<Path> validation) {
        return switch (objective) {
            case SFT -> TaskRows.holdsSources(data) ? TrainingData.Rows.read(data, validation, TaskRows::sources,
                    rows -> Task.of(Task.Type.SEQ_2_SEQ_LM), SourceTargetObjective::new)
                    : TrainingData.Chats.read(data, validation);
            case CLASSIFICATION -> TrainingData.Rows.read(data, validation, TaskRows::texts,
                    rows -> Labels.ofTexts(rows), ClassificationObjective::new);
            case TOKEN_CLASSIFICATION -> TrainingData.Rows.read(data, validation, TaskRows::words,
                    rows -> Labels.ofWords(rows), TokenClassificationObjective::new);
            case QUESTION_ANSWERING -> TrainingData.Rows.read(data, validation, TaskRows::questions,
                    rows -> Task.QUESTION_ANSWERING, QuestionAnsweringObjective::new);
            case CONTRASTIVE -> TrainingData.Rows.read(data, validation, TaskRows::pairs,
                    rows -> Task.EMBEDDING, ContrastiveObjective::new);
        };
    }
}
