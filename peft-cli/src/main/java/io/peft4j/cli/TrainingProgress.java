package io.peft4j.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingPlan;
import io.peft4j.train.TrainingResult;
import java.util.Locale;
import java.util.OptionalDouble;

/** Shows a training on stderr and, for machines, as JSON lines on stdout. */
final class TrainingProgress implements TrainingListener, AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Console console;
    private final boolean json;
    private Progress progress;
    private OptionalDouble validation = OptionalDouble.empty();
    private double tokens;
    private double seconds;

    /** Follows a training; {@code json} tells whether stdout gets a line a step. */
    TrainingProgress(Console console, boolean json) {
        this.console = console;
        this.json = json;
    }

    @Override
    public void onStart(TrainingPlan plan) {
        console.say("%,d examples with %,d tokens, %,d of them supervised; %,d steps an epoch, %,d in all",
                plan.examples(), plan.tokens(), plan.supervisedTokens(), plan.stepsPerEpoch(), plan.totalSteps());
        progress = Progress.of(console, "Training", plan.totalSteps());
    }

    @Override
    public void onStep(StepMetrics step) {
        tokens += step.tokens();
        seconds += step.seconds();
        String evaluated = validation.isEmpty() ? ""
                : String.format(Locale.ROOT, ", validation %.3f", validation.getAsDouble());
        progress.to(step.step(), String.format(Locale.ROOT, "epoch %.1f, loss %.3f%s, %.0f tokens/s", step.epoch(),
                step.trainLoss(), evaluated, tokens / seconds));
        if (json) {
            console.print(line(step));
        }
    }

    @Override
    public void onEvaluation(long step, double epoch, double loss) {
        validation = OptionalDouble.of(loss);
        if (!console.isTerminal()) {
            console.say("Validation loss after %.1f epochs: %.4f", epoch, loss);
        }
        if (json) {
            console.print(JSON.createObjectNode().put("step", step).put("epoch", epoch).put("eval_loss", loss));
        }
    }

    /** The keys of {@code metrics.jsonl}. */
    private static ObjectNode line(StepMetrics step) {
        return JSON.createObjectNode().put("step", step.step()).put("epoch", step.epoch())
                .put("train_loss", step.trainLoss()).put("learning_rate", step.learningRate())
                .put("grad_norm", step.gradNorm()).put("tokens", step.tokens())
                .put("supervised_tokens", step.supervisedTokens()).put("tokens_per_s", step.tokensPerSecond());
    }

    /** The last words: what a training came to. */
    void sayResult(TrainingResult result) {
        close();
        String evaluated = result.evaluations().isEmpty() ? "" : String.format(Locale.ROOT,
                ", validation loss %.4f before and %.4f after", result.evaluations().get(0).loss(),
                result.evaluations().get(result.evaluations().size() - 1).loss());
        console.say("%s after %d of %d steps in %s%s%s%s", result.cancelled() ? "Stopped" : "Done",
                result.steps().size(), result.plan().totalSteps(), Progress.time(result.seconds()),
                result.steps().isEmpty() ? "" : String.format(Locale.ROOT, " (%.0f tokens/s), last loss %.4f",
                        result.tokensPerSecond(), result.finalTrainLoss().orElseThrow()), evaluated,
                ProcessUsage.peakResidentBytes().isEmpty() ? "" : ", peak memory " + PeakMemory.text());
    }

    @Override
    public void close() {
        if (progress != null) {
            progress.close();
            progress = null;
        }
    }
}
