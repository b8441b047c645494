package io.peft4j.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.Internal;

/** The lines of {@code metrics.jsonl}, for the file and for whoever else passes them on. */
@Internal(shared = true)
public final class MetricsJson {
    private static final ObjectMapper JSON = new ObjectMapper();

    private MetricsJson() {
    }

    /**
     * The line of an update: {@code step, epoch, train_loss, learning_rate, grad_norm, tokens, supervised_tokens,
     * tokens_per_s}, and what the objective measures.
     */
    public static ObjectNode of(StepMetrics step) {
        ObjectNode line = JSON.createObjectNode().put("step", step.step()).put("epoch", rounded(step.epoch()))
                .put("train_loss", step.trainLoss()).put("learning_rate", step.learningRate())
                .put("grad_norm", step.gradNorm()).put("tokens", step.tokens())
                .put("supervised_tokens", step.supervisedTokens()).put("tokens_per_s", step.tokensPerSecond());
        step.measures().forEach(line::put);
        return line;
    }

    /** The line of a measurement on the validation data: {@code step, epoch, eval_loss}, and what the
     * objective measures with {@code eval_} before its name. */
    public static ObjectNode of(TrainingResult.Evaluation evaluation) {
        ObjectNode line = JSON.createObjectNode().put("step", evaluation.step())
                .put("epoch", rounded(evaluation.epoch())).put("eval_loss", evaluation.loss());
        evaluation.measures().forEach((name, value) -> line.put("eval_" + name, value));
        return line;
    }

    private static double rounded(double epoch) {
        return Math.round(epoch * 1e6) / 1e6;
    }
}
