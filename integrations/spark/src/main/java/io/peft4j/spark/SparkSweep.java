package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import java.io.Serializable;
import java.nio.file.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

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
 * see. A sweep that was stopped, or whose driver was killed, goes on with {@link SweepBuilder#resume}.
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
}
