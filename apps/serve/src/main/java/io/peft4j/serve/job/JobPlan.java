package io.peft4j.serve.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.grader.GraderTools;
import io.peft4j.data.grader.Graders;
import io.peft4j.data.grader.Grading;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.store.Job;
import io.peft4j.train.TrainingOptions;
import io.peft4j.train.objective.DpoObjective;
import io.peft4j.train.objective.GroupObjective;
import io.peft4j.train.objective.GroupOptions;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.objective.SampledObjective;
import io.peft4j.train.objective.SamplingOptions;
import io.peft4j.train.plan.DataFacts;
import io.peft4j.train.plan.Hyperparameters;
import java.util.Optional;

/**
 * What a job trains with, see {@link Tuning}. Chosen once and kept with the job: wherever it resumes, it resumes with
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
        return Tuning.choose(data, model, objective(job, model), number(asked, "n_epochs").map(JsonNode::asInt),
                number(asked, "batch_size").map(JsonNode::asInt),
                number(asked, "learning_rate_multiplier").map(JsonNode::asDouble));
    }

    private static Optional<Objective<?>> objective(Job job, LanguageModel model) {
        return switch (job.method()) {
            case "dpo" -> Optional.of(new DpoObjective(model));
            case JobRequest.REINFORCEMENT -> Optional.of(reinforcement(job, model, GraderTools.NONE));
            default -> Optional.empty();
        };
    }

    /** The objective of a job by reinforcement: {@code compute_multiplier} is one of the answers to each prompt. */
    static SampledObjective reinforcement(Job job, LanguageModel model, GraderTools tools) {
        SamplingOptions usual = SamplingOptions.defaults();
        double compute = number(job.hyperparameters(), "compute_multiplier").map(JsonNode::asDouble).orElse(1.0);
        String grader = grader(job);
        GroupOptions loss = GroupOptions.grpo().withMaxCompletionLength(Math.min(GroupOptions.USUAL_LENGTH,
                model.network().description().maxPositions() / 2), false);
        return new SampledObjective(new GroupObjective(model, loss),
                Grading.by(Graders.parse(grader, tools)), usual.withGroupSize((int) Math.max(2,
                        Math.round(usual.groupSize() * compute))).withGrader(grader),
                Optional.empty());
    }

    static String grader(Job job) {
        return Json.text(job.request().get("method").get(JobRequest.REINFORCEMENT).get("grader"));
    }

    /** Whether a job is to forget nothing. */
    private static boolean remembers(Job job) {
        return job.hyperparameters().path(JobRequest.REMEMBER).asBoolean();
    }

    /** What a job learns: its conversations, and general ones where it is to forget nothing. */
    static ChatDataset learned(Job job, ChatDataset chats) {
        return remembers(job) ? chats.remembering() : chats;
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
        } else if (job.method().equals(JobRequest.REINFORCEMENT)) {
            all.put("compute_multiplier", number(job.hyperparameters(), "compute_multiplier").map(JsonNode::asDouble)
                    .orElse(1.0));
        }
        if (remembers(job)) {
            all.put(JobRequest.REMEMBER, true);
        }
        all.putObject(INNER).put("pass_size", passSize).put("accumulation", accumulation)
                .put("learning_rate", training.learningRate().getAsDouble())
                .put("warmup_steps", training.warmupSteps().getAsInt()).put("rank", rank)
                .put("beta", beta).put("learned_share", training.learnedShare().orElse(0));
        return all;
    }

    /** The plan that was kept with a job. */
    static JobPlan of(Job job) {
        JsonNode inner = job.hyperparameters().get(INNER);
        return new JobPlan(TrainingOptions.builder().batchSize(inner.get("pass_size").asInt())
                .gradientAccumulation(inner.get("accumulation").asInt())
                .epochs(job.hyperparameters().get("n_epochs").asInt())
                .learnedShare(inner.path("learned_share").asDouble())
                .learningRate(inner.get("learning_rate").asDouble()).warmupSteps(inner.get("warmup_steps").asInt())
                .seed(job.seed()).build(), inner.get("rank").asInt(), inner.get("beta").asDouble());
    }
}
