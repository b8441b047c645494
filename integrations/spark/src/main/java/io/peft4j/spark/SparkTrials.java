package io.peft4j.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Cancellation;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.Trial;
import io.peft4j.train.sweep.TrialSite;
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

/** Trains the trials of a sweep in tasks. */
final class SparkTrials implements TrialSite {
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
    public SparkTrials(SparkSession spark, ModelRecipe recipe, Plan plan, Path output, int tasks, int trialsPerTask) {
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
