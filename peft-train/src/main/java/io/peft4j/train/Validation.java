package io.peft4j.train;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.train.objective.EncodedExample;
import io.peft4j.train.objective.EncodedExamples;
import io.peft4j.train.objective.Objective;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The validation data of a training and what was measured on it, with the trained values as they were at the lowest
 * loss where those are wanted. Without validation data, nothing is ever due.
 */
final class Validation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

    private Optional<EncodedExamples> set;
    private final TrainingOptions options;
    private final Optional<BestValues> best;
    private final List<TrainingResult.Evaluation> evaluations = new ArrayList<>();

    /**
     * Nothing measured yet.
     *
     * @param parameters what is trained
     */
    public Validation(Optional<EncodedExamples> set, TrainingOptions options, List<Parameter> parameters) {
        this.set = set;
        this.options = options;
        this.best = options.keepBest() ? Optional.of(new BestValues(parameters)) : Optional.empty();
    }

    /** The validation data, if there is any. */
    Optional<EncodedExamples> set() {
        return set;
    }

    /** Puts the same examples with their references in the place of those given. */
    void replace(EncodedExamples withReferences) {
        set = Optional.of(withReferences);
    }

    /** The examples; empty without validation data. */
    List<EncodedExample> examples() {
        return set.map(EncodedExamples::examples).orElse(List.of());
    }

    /** The examples in the batches that they are measured in. */
    List<List<EncodedExample>> batches() {
        return BatchLosses.batches(examples(), options.batchSize().getAsInt());
    }

    /** Whether the loss is to be measured after this update: once for each. */
    boolean isDue(long step, int stepsPerEpoch, long end) {
        boolean done = evaluations.stream().anyMatch(evaluation -> evaluation.step() == step);
        long every = options.evaluateEverySteps() > 0 ? options.evaluateEverySteps() : stepsPerEpoch;
        return set.isPresent() && !done && (step == 0 || step == end || step % every == 0);
    }

    /** Whether the last measurements have not been better for as long as the patience lasts. */
    public boolean isOutOfPatience() {
        double lowest = Double.POSITIVE_INFINITY;
        int waited = 0;
        for (TrainingResult.Evaluation evaluation : evaluations) {
            boolean better = evaluation.comparedLoss() < lowest - options.threshold();
            waited = better ? 0 : waited + 1;
            lowest = better ? evaluation.comparedLoss() : lowest;
        }
        return options.patience() > 0 && waited >= options.patience();
    }

    /** Takes a measurement, and keeps the trained values if it is the best so far. */
    public void add(TrainingResult.Evaluation evaluation) {
        evaluations.add(evaluation);
        if (BestValues.best(evaluations) == evaluation) {
            best.ifPresent(BestValues::keep);
        }
    }

    /** Takes the measurements of a checkpoint, whose best values are among the {@link #arrays()} that it restores. */
    void addEarlier(List<TrainingResult.Evaluation> earlier) {
        evaluations.addAll(earlier);
    }

    /** All measurements, in the order they were made. */
    List<TrainingResult.Evaluation> evaluations() {
        return evaluations;
    }

    /**
     * Makes the trained values what they were at the lowest loss.
     *
     * @param stepsDone updates that the training has made
     * @return the update after which they were so; empty where nothing had to change
     */
    OptionalLong restoreBest(long stepsDone) {
        if (best.isEmpty() || evaluations.isEmpty()) {
            return OptionalLong.empty();
        }
        TrainingResult.Evaluation kept = BestValues.best(evaluations);
        long step = kept.step();
        if (step == stepsDone) {
            return OptionalLong.empty();
        }
        best.get().restore();
        LOG.info("the adapter is that of update {}, where the loss on the validation data{} was lowest", step,
                kept.measures().containsKey(Objective.CALIBRATED_LOSS) ? " at the best temperature" : "");
        return OptionalLong.of(step);
    }

    /** What goes into checkpoints. */
    Map<String, INDArray> arrays() {
        return best.map(BestValues::arrays).orElse(Map.of());
    }

    @Override
    public void close() {
        best.ifPresent(BestValues::close);
    }
}
