package io.peft4j.spark.internal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.models.BaseModel;
import io.peft4j.train.sweep.SweepBuilder;
import io.peft4j.train.sweep.SweepResult;
import io.peft4j.train.sweep.Trial;
import io.peft4j.train.sweep.TrialSite;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/** Trains the trials of a sweep in tasks. */
public final class SparkTrials implements TrialSite {
    private static final ObjectMapper JSON = new ObjectMapper();

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
    public void train(List<Trial> trials, double share, Consumer<Trial> ended) {
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
        JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(dealt, groups)
                .flatMap(some -> train(base, made, folder, some, share).iterator())
                .collect().forEach(json -> ended.accept(trial(json)));
    }

    /** On an executor. */
    private static List<String> train(ModelRecipe recipe, Plan plan, String output, List<String> trials,
            double share) {
        try (SharedModels.Base base = SharedModels.base(recipe)) {
            return plan.on(base.model()).train(Path.of(output), trials.stream().map(SparkTrials::trial).toList(),
                    share).stream().map(trial -> SweepResult.json(trial).toString()).toList();
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
