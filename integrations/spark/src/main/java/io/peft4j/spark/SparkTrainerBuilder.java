package io.peft4j.spark;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.spark.SparkTrainer.SparkWorker;
import java.util.Objects;
import java.util.Optional;
import org.apache.spark.sql.SparkSession;

/** Collects what a training on Spark needs: base, number of workers and output must be given. */
public final class SparkTrainerBuilder {
    final SparkSession spark;
    String base = "";
    Precision precision = Precision.AUTO;
    int threads;
    int workers;
    String output = "";
    int checkpointEverySteps = 50;
    int localSteps = 1;
    Optional<String> validation = Optional.empty();

    SparkTrainerBuilder(SparkSession spark) {
        this.spark = Objects.requireNonNull(spark, "spark");
    }

    /**
     * The base model: a folder or a GGUF file that every machine has at this place, the last name of a folder that
     * {@code SparkContext.addFile} has sent to them, or an ID on the hub. All tasks of an executor share it.
     */
    public SparkTrainerBuilder base(String value) {
        base = Objects.requireNonNull(value, "base");
        return this;
    }

    /** What the base's weights are kept in; default {@link Precision#AUTO}, which must choose the same everywhere. */
    public SparkTrainerBuilder precision(Precision value) {
        precision = Objects.requireNonNull(value, "precision");
        return this;
    }

    /** Threads of each executor; 0, the default: the cores of its tasks. */
    public SparkTrainerBuilder threads(int value) {
        threads = value;
        return this;
    }

    /** How many tasks train together. All must run at once: there must be as many free slots. */
    public SparkTrainerBuilder workers(int value) {
        workers = value;
        return this;
    }

    /**
     * A folder on storage that all machines see, for checkpoints, metrics and the adapter: {@code hdfs:}, {@code s3a:},
     * {@code file:} and all else that Hadoop knows here.
     */
    public SparkTrainerBuilder output(String value) {
        output = Objects.requireNonNull(value, "output");
        return this;
    }

    /** Updates between two checkpoints, which is what a lost task costs at most; default 50. */
    public SparkTrainerBuilder checkpointEverySteps(int value) {
        checkpointEverySteps = value;
        return this;
    }

    /**
     * Updates that each worker makes on its own before all take the mean, for slow networks; default 1, which gives the
     * result of one machine. {@link #checkpointEverySteps} must be a multiple.
     */
    public SparkTrainerBuilder localSteps(int value) {
        localSteps = value;
        return this;
    }

    /** Lines of validation data, a file or folder; the training finds them in {@link SparkWorker#validation}. */
    public SparkTrainerBuilder validation(String data) {
        validation = Optional.of(data);
        return this;
    }

    /**
     * The trainer.
     *
     * @throws ConfigurationException when something is missing or out of range
     */
    public SparkTrainer build() {
        if (base.isEmpty() || output.isEmpty()) {
            throw new ConfigurationException("a training on Spark needs a base model and an output folder");
        }
        if (workers < 1 || threads < 0 || checkpointEverySteps < 1) {
            throw new ConfigurationException("a training on Spark needs at least 1 worker, 0 (all) or more threads, "
                    + "and a checkpoint every 1 or more steps; got " + workers + ", " + threads + " and "
                    + checkpointEverySteps);
        }
        return new SparkTrainer(this);
    }
}
