package io.peft4j.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.train.Cancellation;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.SweepResult.Trial;
import io.peft4j.train.sweep.TrialExecutor;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.spark.SparkThrowable;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaFutureAction;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@linkplain io.peft4j.train.sweep.Sweep sweep} whose trials are trained on executors:
 *
 * <pre>{@code
 * SweepResult result = SparkSweep.of(spark, "HuggingFaceTB/SmolLM2-135M-Instruct", base ->
 *         Sweep.of(base, LoraConfig.builder().build(), SearchSpace.read(Path.of("/shared/space.json")))
 *                 .data(ChatDataset.read(Path.of("/shared/handbook.jsonl"))).trials(16))
 *         .run(Path.of("/shared/sweep"));
 * }</pre>
 *
 * <p>The driver chooses trials and writes {@code sweep.json} and {@code sweep.html}; each task trains some trials, side
 * by side where they can, and all tasks of an executor share one base. The output folder must be one that all machines
 * see. A sweep that was stopped, or whose driver was killed, resumes with {@link SweepBuilder#resume}.
 */
public final class SparkSweep {
    private final SparkSession spark;
    private final ModelRecipe recipe;
    private final Plan plan;
    private final int tasks;
    private final int trialsPerTask;

    private SparkSweep(SparkSession spark, ModelRecipe recipe, Plan plan, int tasks, int trialsPerTask) {
        this.spark = spark;
        this.recipe = recipe;
        this.plan = plan;
        this.tasks = tasks;
        this.trialsPerTask = trialsPerTask;
    }

    /** Makes the sweep, on the driver and, for its trials, on executors: from files that all of them see. */
    @FunctionalInterface
    public interface Plan extends Serializable {
        /** The sweep on a base model, which is not to be closed. */
        SweepBuilder on(BaseModel base);
    }

    /**
     * A sweep.
     *
     * @param model the base, which driver and executors find; see {@link PeftFunctions}
     */
    public static SparkSweep of(SparkSession spark, String model, Plan plan) {
        return new SparkSweep(spark, ModelRecipe.of(model), plan,
                JavaSparkContext.fromSparkContext(spark.sparkContext()).defaultParallelism(), 0);
    }

    /** The same with weights in another precision; default {@link Precision#AUTO}. */
    public SparkSweep precision(Precision precision) {
        return new SparkSweep(spark, recipe.withPrecision(precision), plan, tasks, trialsPerTask);
    }

    /**
     * The same with another number of tasks; default: as many as the cluster runs at once.
     *
     * @throws ConfigurationException when it is less than 1
     */
    public SparkSweep tasks(int count) {
        requirePositive("tasks", count);
        return new SparkSweep(spark, recipe, plan, count, trialsPerTask);
    }

    /**
     * The same with another number of trials in a task; default: those that the sweep trains side by side.
     *
     * @throws ConfigurationException when it is less than 1
     */
    public SparkSweep trialsPerTask(int count) {
        requirePositive("trials per task", count);
        return new SparkSweep(spark, recipe, plan, tasks, count);
    }

    private static void requirePositive(String what, int count) {
        if (count < 1) {
            throw new ConfigurationException(what + " must be at least 1, got " + count);
        }
    }

    /**
     * Runs the sweep.
     *
     * @param output a folder that all machines see
     * @throws ConfigurationException as {@link SweepBuilder#run}
     */
    public SweepResult run(Path output) {
        try (SharedModels.Base base = SharedModels.base(recipe)) {
            return plan.on(base.model()).site(new SparkTrials(spark, recipe, plan::on, output, tasks, trialsPerTask))
                    .run(output);
        }
    }

    /** Trains the trials of a sweep in tasks. */
    private static final class SparkTrials implements TrialExecutor {
        private static final Logger LOG = LoggerFactory.getLogger(SparkTrials.class);
        private static final ObjectMapper JSON = new ObjectMapper();
        /** How often is looked whether the sweep is cancelled. */
        private static final long LOOK_MILLIS = 200;

        private final SparkSession spark;
        private final ModelRecipe recipe;
        private final Plan plan;
        private final String output;
        private final int tasks;
        private final int trialsPerTask;

        /** Makes the sweep that trials belong to. */
        @FunctionalInterface
        public interface Plan extends Serializable {
            /** The sweep on a base. */
            SweepBuilder on(BaseModel base);
        }

        /**
         * A site.
         *
         * @param trialsPerTask 0: those that the sweep trains side by side
         */
        public SparkTrials(SparkSession spark, ModelRecipe recipe, Plan plan, Path output, int tasks,
                int trialsPerTask) {
            this.spark = spark;
            this.recipe = recipe;
            this.plan = plan;
            this.output = output.toAbsolutePath().toString();
            this.tasks = tasks;
            this.trialsPerTask = trialsPerTask;
        }

        @Override
        public int room(int sideBySide) {
            return tasks * (trialsPerTask > 0 ? trialsPerTask : sideBySide);
        }

        @Override
        public void train(List<Trial> trials, double share, Cancellation cancellation, Consumer<Trial> ended) {
            int groups = Math.min(tasks, trials.size());
            List<ArrayList<String>> dealt = new ArrayList<>();
            for (int i = 0; i < trials.size(); i++) {
                if (i < groups) {
                    dealt.add(new ArrayList<>());
                }
                dealt.get(i % groups).add(SweepResult.json(trials.get(i)).toString());
            }
            ModelRecipe base = recipe;
            Plan made = plan;
            String folder = output;
            found(JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(dealt, groups)
                    .flatMap(some -> train(base, made, folder, some, share).iterator())
                    .collectAsync(), cancellation).forEach(json -> ended.accept(trial(json)));
        }

        /** What a job has found; nothing where the sweep is cancelled, or the job: that cancels the sweep. */
        private static List<String> found(JavaFutureAction<List<String>> job, Cancellation cancellation) {
            while (true) {
                try {
                    return job.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    if (cancellation.isRequested()) {
                        job.cancel(true);
                        return List.of();
                    }
                } catch (InterruptedException e) {
                    job.cancel(true);
                    Thread.currentThread().interrupt();
                    cancellation.cancel();
                    return List.of();
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof SparkThrowable known
                            && "SPARK_JOB_CANCELLED".equals(known.getCondition())) {
                        LOG.warn("the job was cancelled, so the sweep ends; it can be resumed");
                        cancellation.cancel();
                        return List.of();
                    }
                    throw e.getCause() instanceof RuntimeException cause ? cause
                            : new IllegalStateException("the trials' job failed: " + e.getMessage(), e.getCause());
                }
            }
        }

        /** On an executor. A task that is killed stops its trials. */
        private static List<String> train(ModelRecipe recipe, Plan plan, String output, List<String> trials,
                double share) {
            try (SharedModels.Base base = SharedModels.base(recipe)) {
                return plan.on(base.model()).cancellation(new Cancellation(TaskContext.get()::isInterrupted))
                        .train(Path.of(output), trials.stream().map(SparkTrials::trial).toList(),
                                share)
                        .stream().map(trial -> SweepResult.json(trial).toString()).toList();
            }
        }

        private static Trial trial(String json) {
            try {
                return SweepResult.trial(JSON.readTree(json));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
