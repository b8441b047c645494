package io.peft4j.train;

import io.peft4j.core.error.Count;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.runs.RunInfo.LearnedRows;
import io.peft4j.train.runs.TrainingProfile;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What a training did.
 *
 * @param plan what it set out to do
 * @param steps the figures of each update; of a training that was resumed, those since then
 * @param evaluations loss on the validation data, the first before training; empty without validation data
 * @param ending why it ended
 * @param bestStep the updates after which the adapter that is left was measured, where it is not the last one
 * @param seconds time of the whole training
 * @param output the folder that holds the adapter and the metrics, where one was asked for
 * @param learned which rows are learned and what began the end, where the objective tells
 * @param profile where the time went, where {@link TrainingOptions#profile} asks for it
 */
public record TrainingResult(TrainingPlan plan, List<StepMetrics> steps, List<Evaluation> evaluations,
        Ending ending, OptionalLong bestStep, double seconds, Optional<Path> output,
        Optional<LearnedRows> learned, Optional<TrainingProfile> profile) {
    /** Why a training ended. */
    public enum Ending {
        /** With its last update. */
        COMPLETE("trained"),
        /** It was stopped. */
        CANCELLED("cancelled after"),
        /** The loss on the validation data did not fall any more, or the rewards collapsed. */
        STOPPED_EARLY("stopped early after"),
        /** Its time was over. */
        OUT_OF_TIME("out of time after");

        private final String words;

        Ending(String words) {
            this.words = words;
        }
    }

    /**
     * The loss on the validation data.
     *
     * @param step number of updates before it
     * @param epoch epochs before it
     * @param loss the objective's loss: of next-token prediction the mean negative log-likelihood of a supervised token
     * @param measures what the objective measures besides, by name
     */
    public record Evaluation(long step, double epoch, double loss, Map<String, Double> measures) {
        /** Copies the measures in their order. */
        public Evaluation {
            measures = Collections.unmodifiableMap(new LinkedHashMap<>(measures));
        }

        /** A loss without measures. */
        public Evaluation(long step, double epoch, double loss) {
            this(step, epoch, loss, Map.of());
        }

        /** What was found, for a line of progress: loss and accuracy, or the reward. */
        public String summary() {
            Double reward = measures.get("reward");
            return reward == null ? String.format(Locale.ROOT, "%.3f", loss) + (accuracy().isEmpty() ? ""
                    : String.format(Locale.ROOT, ", accuracy %.3f", accuracy().getAsDouble()))
                    : String.format(Locale.ROOT, "reward %.3f", reward);
        }

        /** What states of a training are compared by: {@link Objective#CALIBRATED_LOSS} if measured, else the loss. */
        public double comparedLoss() {
            return measures.getOrDefault(Objective.CALIBRATED_LOSS, loss);
        }

        /** The {@linkplain Objective#ACCURACY share of right answers}, where the objective has one. */
        public OptionalDouble accuracy() {
            return accuracyOf(measures);
        }
    }

    /** Copies the lists. */
    public TrainingResult {
        steps = List.copyOf(steps);
        evaluations = List.copyOf(evaluations);
    }

    /** Whether it was stopped. */
    public boolean cancelled() {
        return ending == Ending.CANCELLED;
    }

    /** Updates that there were to do: of a complete training those that were done. */
    public long totalSteps() {
        return ending == Ending.COMPLETE ? plan.doneSteps() + steps.size() : plan.totalSteps();
    }

    /** The training loss of the last update. */
    public OptionalDouble finalTrainLoss() {
        return steps.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(steps.get(steps.size() - 1).trainLoss());
    }

    /** Tokens of the examples a second, over all updates; 0 where there was none. */
    public double tokensPerSecond() {
        return steps.isEmpty() ? 0 : steps.stream().mapToLong(StepMetrics::tokens).sum()
                / steps.stream().mapToDouble(StepMetrics::seconds).sum();
    }

    /** The last measured loss on the validation data. */
    public OptionalDouble finalEvalLoss() {
        return evaluations.isEmpty() ? OptionalDouble.empty()
                : OptionalDouble.of(evaluations.get(evaluations.size() - 1).loss());
    }

    /** The last measured {@linkplain Evaluation#accuracy accuracy} on the validation data. */
    public OptionalDouble finalEvalAccuracy() {
        return evaluations.isEmpty() ? OptionalDouble.empty() : evaluations.get(evaluations.size() - 1).accuracy();
    }

    static OptionalDouble accuracyOf(Map<String, Double> measures) {
        return measures.containsKey(Objective.ACCURACY) ? OptionalDouble.of(measures.get(Objective.ACCURACY))
                : OptionalDouble.empty();
    }

    private static String change(OptionalDouble first, OptionalDouble last) {
        return last.isEmpty() ? "" : String.format(Locale.ROOT, ", accuracy %.3f -> %.3f", first.orElse(0),
                last.getAsDouble());
    }

    /** One line: steps, losses, accuracies where there are any, speed, and where the adapter lies. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%s %d of %s in %.1f s",
                ending.words, plan.doneSteps() + steps.size(), Count.of(totalSteps(), "step"), seconds));
        if (!steps.isEmpty()) {
            text.append(String.format(Locale.ROOT, " (%.0f tokens/s), loss %.4f -> %.4f", tokensPerSecond(),
                    steps.get(0).trainLoss(), finalTrainLoss().getAsDouble()))
                    .append(change(steps.get(0).accuracy(), steps.get(steps.size() - 1).accuracy()));
            Double reward = steps.get(0).measures().get("reward");
            Double last = steps.get(steps.size() - 1).measures().get("reward");
            if (reward != null && last != null) {
                text.append(String.format(Locale.ROOT, ", reward %.3f -> %.3f", reward, last));
            }
        }
        if (!evaluations.isEmpty()) {
            text.append(String.format(Locale.ROOT, ", validation loss %.4f -> %.4f", evaluations.get(0).loss(),
                    finalEvalLoss().getAsDouble())).append(change(evaluations.get(0).accuracy(), finalEvalAccuracy()));
        }
        learned.ifPresent(rows -> text.append(", ").append(rows));
        bestStep.ifPresent(step -> text.append(", best after step ").append(step));
        output.ifPresent(folder -> text.append(", adapter in ").append(folder));
        return text.toString();
    }
}
