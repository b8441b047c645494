package io.peft4j.serve.job.internal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.store.internal.Job;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.Hyperparameters;
import java.util.Optional;

/**
 * What a job trains with, see {@link Tuning}. Chosen once and kept with the job: wherever it goes on, it goes on with
 * this.
 *
 * @param training options of the training, none of which is left to rules
 * @param rank rank of the adapter
 * @param beta how much a preference weighs against staying near the base
 */
record JobPlan(TrainingOptions training, int rank, double beta) {
    private static final double BETA = 0.1;
    private static final String INNER = "plan";

    /** The plan of a job with what the rules chose. */
    static JobPlan of(Job job, Hyperparameters chosen) {
        JsonNode beta = job.hyperparameters().path("beta");
        return new JobPlan(TrainingOptions.builder().hyperparameters(chosen).seed(job.seed()).build(), chosen.rank(),
                beta.isNumber() ? beta.asDouble() : BETA);
    }

    /** What the rules choose around what was asked for. */
    static Hyperparameters choose(Job job, DataFacts data, LanguageModel model) {
        ObjectNode asked = job.hyperparameters();
        return Tuning.choose(data, model, job.method().equals("dpo"), number(asked, "n_epochs").map(JsonNode::asInt),
                number(asked, "batch_size").map(JsonNode::asInt),
                number(asked, "learning_rate_multiplier").map(JsonNode::asDouble));
    }

    private static Optional<JsonNode> number(ObjectNode asked, String name) {
        return Optional.of(asked.path(name)).filter(JsonNode::isNumber);
    }

    /** The hyperparameters of the job with what was chosen. */
    ObjectNode into(Job job) {
        int passSize = training.batchSize().getAsInt();
        int accumulation = training.gradientAccumulation().getAsInt();
        JsonNode multiplier = job.hyperparameters().path("learning_rate_multiplier");
        ObjectNode all = Json.object().put("batch_size", passSize * accumulation)
                .put("learning_rate_multiplier", multiplier.isNumber() ? multiplier.asDouble() : 1)
                .put("n_epochs", training.epochs().getAsInt());
        if (job.method().equals("dpo")) {
            all.put("beta", beta);
        }
        all.putObject(INNER).put("pass_size", passSize).put("accumulation", accumulation)
                .put("learning_rate", training.learningRate().getAsDouble())
                .put("warmup_steps", training.warmupSteps().getAsInt()).put("rank", rank)
                .put("beta", beta);
        return all;
    }

    /** The plan that was kept with a job. */
    static JobPlan of(Job job) {
        JsonNode inner = job.hyperparameters().get(INNER);
        return new JobPlan(TrainingOptions.builder().batchSize(inner.get("pass_size").asInt())
                .gradientAccumulation(inner.get("accumulation").asInt())
                .epochs(job.hyperparameters().get("n_epochs").asInt())
                .learningRate(inner.get("learning_rate").asDouble()).warmupSteps(inner.get("warmup_steps").asInt())
                .seed(job.seed()).build(), inner.get("rank").asInt(), inner.get("beta").asDouble());
    }
}
