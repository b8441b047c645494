package io.peft4j.train;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.NextTokenObjective;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Trains several adapters on one base at once: a pass holds a batch of each, the base's products are computed for all
 * of them together, and each row runs through the adapter of its own training. All else is each training's own: data
 * order, batch size, optimizer, schedule, clipping, checkpoints, folder. The losses are those of the training
 * alone, within the rounding of sums in another order. It pays most where batches are small, which alone leave the
 * processor waiting for the weights.
 *
 * <pre>{@code
 * List<SideBySide.Outcome> outcomes = SideBySide.of(trainers).train(examples);
 * }</pre>
 *
 * <p>The {@link StepMetrics#seconds} of a training are then those of all together.
 */
public final class SideBySideTrainer {
    private final List<Trainer> trainers;

    private SideBySideTrainer(List<Trainer> trainers) {
        this.trainers = trainers;
    }

    /**
     * How a training ended.
     *
     * @param result what it gave, where it did not fail
     * @param failure why it failed, where it did; the others went on
     */
    public record Outcome(Optional<TrainingResult> result, Optional<RuntimeException> failure) {
    }

    /**
     * Trainings by next-token prediction, each of another {@link PeftModel} on the same base.
     *
     * @throws ConfigurationException when the bases differ, or a training cannot share passes ({@link #obstacle})
     */
    public static SideBySideTrainer of(List<Trainer> trainers) {
        if (trainers.isEmpty()) {
            throw new ConfigurationException("no training given");
        }
        Network network = trainers.get(0).model().network();
        for (int i = 0; i < trainers.size(); i++) {
            Optional<String> obstacle = trainers.get(i).model().network() == network ? obstacle(trainers.get(i))
                    : Optional.of("it is on another base");
            if (obstacle.isPresent()) {
                throw new ConfigurationException("training " + (i + 1) + " of " + trainers.size()
                        + " cannot run side by side with the others: " + obstacle.get());
            }
        }
        if (trainers.stream().map(Trainer::model).distinct().count() < trainers.size()) {
            throw new ConfigurationException("each training needs a PeftModel of its own");
        }
        return new SideBySideTrainer(List.copyOf(trainers));
    }

    /** Why a training cannot run side by side with others, as a sentence; empty where it can. */
    public static Optional<String> obstacle(Trainer trainer) {
        return trainer.sharingObstacle();
    }

    /**
     * Trains all on the same conversations.
     *
     * @return how each ended, in their order
     * @throws io.peft4j.core.error.PeftException when one cannot begin, as {@link Trainer#train(ChatDataset)} says
     */
    public List<Outcome> train(ChatDataset examples) {
        return run(trainers.stream().map(trainer -> trainer.encode(examples)).toList());
    }

    /** As {@link #train(ChatDataset)}, on encoded examples. */
    public List<Outcome> train(List<TokenSequence> examples) {
        return run(trainers.stream().map(trainer -> EncodedExamples.of(examples)).toList());
    }

    private List<Outcome> run(List<EncodedExamples> examples) {
        List<TrainingRun> open = new ArrayList<>();
        try (Closer opened = new Closer()) {
            for (int i = 0; i < trainers.size(); i++) {
                open.add(opened.add(trainers.get(i).open(NextTokenObjective.ofSequences(), examples.get(i),
                        trainers.get(i).held())));
            }
            List<TrainingOptions> options = open.stream().map(TrainingRun::options).toList();
            return new JointTraining(open, trainers.stream().map(Trainer::model).toList(), options.get(0).toBuilder()
                    .sharePrefixes(options.stream().allMatch(TrainingOptions::sharePrefixes))
                    .recompute(options.stream().anyMatch(TrainingOptions::recompute)).build()).execute();
        }
    }
}
