package io.peft4j.train;

import io.peft4j.train.objective.SampledAnswer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Tells several listeners. One that fails is named in a warning, once, and the training continues, unless the listener
 * says that its failure ends it.
 */
final class Listeners implements TrainingListener {
    private final List<TrainingListener> listeners;
    private final Consumer<String> warnings;
    private final List<TrainingListener> warned = new ArrayList<>();

    /** @param warnings gets each warning */
    public Listeners(List<TrainingListener> listeners, Consumer<String> warnings) {
        this.listeners = List.copyOf(listeners);
        this.warnings = warnings;
    }

    private void tell(String when, Consumer<TrainingListener> call) {
        for (TrainingListener listener : listeners) {
            try {
                call.accept(listener);
            } catch (RuntimeException e) {
                if (listener.failureEndsTraining()) {
                    throw e;
                }
                warnOf(listener, when, e);
            }
        }
    }

    private void warnOf(TrainingListener listener, String when, RuntimeException e) {
        if (!warned.contains(listener)) {
            warned.add(listener);
            String name = listener.getClass().getName();
            warnings.accept("the listener " + name.substring(name.lastIndexOf('.') + 1) + " failed " + when
                    + ", the training continues: " + e);
        }
    }

    @Override
    public void onStart(TrainingPlan plan) {
        tell("at the start", listener -> listener.onStart(plan));
    }

    @Override
    public void onStep(StepMetrics metrics) {
        tell("after update " + metrics.step(), listener -> listener.onStep(metrics));
    }

    @Override
    public void onAnswers(long step, List<SampledAnswer> answers) {
        tell("after update " + step, listener -> listener.onAnswers(step, answers));
    }

    @Override
    public void onEvaluation(TrainingResult.Evaluation evaluation) {
        tell("at the evaluation after update " + evaluation.step(), listener -> listener.onEvaluation(evaluation));
    }

    @Override
    public void onCheckpoint(long step, Path folder) {
        tell("at the checkpoint after update " + step, listener -> listener.onCheckpoint(step, folder));
    }

    @Override
    public void onEnd(TrainingResult result) {
        tell("at the end", listener -> listener.onEnd(result));
    }

    /** What is thrown is added to the failure. */
    @Override
    public void onFailure(Throwable failure) {
        for (TrainingListener listener : listeners) {
            try {
                listener.onFailure(failure);
            } catch (RuntimeException | Error more) {
                if (more != failure) {
                    failure.addSuppressed(more);
                }
            }
        }
    }
}
