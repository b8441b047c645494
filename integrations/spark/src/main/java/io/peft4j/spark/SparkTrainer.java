package io.peft4j.spark;

import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerException;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkThrowable;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.reflect.ClassTag;

/**
 * Trains an adapter with the executors of Spark: the ordinary trainer runs in each task of a barrier stage, and the
 * tasks divide every update ({@link io.peft4j.train.parallel.WorkerCollective}).
 *
 * <pre>{@code
 * SparkTrainer.builder(spark).base("/models/SmolLM2").workers(4).output("s3a://bucket/handbook").build()
 *         .train("s3a://bucket/handbook.jsonl", worker -> {
 *             try (PeftModel model = worker.base().withAdapter(LoraConfig.builder().rank(16).build())) {
 *                 return worker.trainer(model).epochs(3).build().train(ChatDataset.read(worker.data()));
 *             }
 *         });
 * }</pre>
 *
 * <p>The result is that of one machine with the same batches, up to rounding, whatever the number of workers. A task or
 * an executor that is lost makes the stage begin again from the last checkpoint on shared storage, as often as it gets
 * further; a driver that is started again resumes there, too. One task an executor, with all of its cores
 * ({@code spark.task.cpus}), is the fastest.
 */
public final class SparkTrainer {
    private static final Logger LOG = LoggerFactory.getLogger(SparkTrainer.class);
    /** Attempts in a row that may end without a new checkpoint. */
    private static final int STUCK = 3;
    private static final int SECRET_BYTES = 32;

    private final SparkSession spark;
    private final TrainingTask.Settings settings;
    private final int workers;
    private final Optional<String> validation;

    SparkTrainer(SparkTrainerBuilder builder) {
        this.spark = builder.spark;
        this.workers = builder.workers;
        this.validation = builder.validation;
        this.settings = new TrainingTask.Settings(builder.base, builder.precision, builder.threads, builder.output,
                builder.checkpointEverySteps, builder.localSteps, "");
    }

    /** A builder of a trainer. */
    public static SparkTrainerBuilder builder(SparkSession spark) {
        return new SparkTrainerBuilder(spark);
    }

    /**
     * Trains, or resumes where a training in the output folder has a checkpoint.
     *
     * @param data a file or folder of lines that Spark can read
     * @param training what every worker does
     * @throws PeftException what the training throws for a mistake in what it was given
     * @throws WorkerException when tasks are lost again and again before there is a new checkpoint
     */
    public SparkTrainingResult train(String data, SparkTraining training) {
        return train(lines(data), training);
    }

    /** As {@link #train(String, SparkTraining)}, with the lines themselves. */
    public SparkTrainingResult train(List<String> lines, SparkTraining training) {
        SparkContext context = spark.sparkContext();
        ProgressAccumulator progress = new ProgressAccumulator();
        context.register(progress, "peft4j training");
        Broadcast<TrainingTask.Data> data = JavaSparkContext.fromSparkContext(context).broadcast(
                new TrainingTask.Data(lines, validation.map(this::lines).orElse(null)));
        try {
            return run(new TrainingTask(settings, data,
                    new SerializableConfiguration(context.hadoopConfiguration()), progress, training));
        } finally {
            data.destroy();
        }
    }

    /** In their order. */
    private List<String> lines(String place) {
        return spark.read().textFile(place).as(Encoders.STRING()).collectAsList();
    }

    private SparkTrainingResult run(TrainingTask task) {
        long before = newest();
        int stuck = 0;
        for (int attempt = 1;; attempt++) {
            try {
                return result(stage(task.withSecret(secret()))).after(attempt);
            } catch (PeftException e) {
                throw e;
            } catch (Exception e) {
                // Scala does not declare what it throws.
                long now = newest();
                if (isCancelled(e)) {
                    throw new WorkerException("the job was cancelled; the same call resumes "
                            + (now > 0 ? "after update " + now : "from the beginning"), e);
                }
                stuck = now > before ? 1 : stuck + 1;
                before = now;
                if (stuck >= STUCK || spark.sparkContext().isStopped()) {
                    throw new WorkerException("the training failed " + Count.of(stuck, "time")
                            + " without a new checkpoint" + (now > 0 ? " after update " + now : "")
                            + "; the last time: " + e.getMessage(), e);
                }
                LOG.warn("the training begins again {}: {}", now > 0 ? "after update " + now : "from the beginning",
                        e.getMessage());
            }
        }
    }

    private static String secret() {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        return HexFormat.of().formatHex(secret);
    }

    private static boolean isCancelled(Exception e) {
        return e instanceof SparkThrowable known && "SPARK_JOB_CANCELLED".equals(known.getCondition());
    }

    private long newest() {
        Configuration hadoop = spark.sparkContext().hadoopConfiguration();
        try (SharedFolder shared = new SharedFolder(settings.output(), hadoop)) {
            return shared.checkpoints().stream().findFirst().orElse(0L);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + settings.output() + ": " + e.getMessage(), e);
        }
    }

    private List<TaskOutcome> stage(TrainingTask task) {
        ClassTag<TaskOutcome> tag = ClassTag.apply(TaskOutcome.class);
        RDD<Integer> ranks = JavaSparkContext.fromSparkContext(spark.sparkContext())
                .parallelize(IntStream.range(0, workers).boxed().toList(), workers).rdd();
        return List.of((TaskOutcome[]) ranks.barrier().mapPartitions(task, false, tag).collect());
    }

    /** The first worker's result, or the failure of the one that others refer to. */
    private static SparkTrainingResult result(List<TaskOutcome> outcomes) {
        for (boolean told : new boolean[] {false, true}) {
            for (TaskOutcome outcome : outcomes) {
                outcome.failed().filter(e -> told == (e instanceof WorkerException)).ifPresent(e -> {
                    throw e;
                });
            }
        }
        return outcomes.get(0).succeeded().orElseThrow();
    }

    /**
     * A training, as it would be on one machine; every worker runs it. What it refers to is sent to the executors, so
     * it must be serializable.
     */
    @FunctionalInterface
    public interface SparkTraining extends Serializable {
        /**
         * Trains.
         *
         * @param worker has the base model, the data, and the beginning of a trainer
         * @return what {@code worker.trainer(...).build().train(...)} returned
         * @throws IOException when a file cannot be read
         */
        TrainingResult train(SparkWorker worker) throws IOException;
    }

    /** One of the workers of a training, and what it has. */
    public static final class SparkWorker {
        private final WorkerCollective workers;
        private final BaseModel base;
        private final Path data;
        private final Optional<Path> validation;
        private final RunPlace place;

        SparkWorker(WorkerCollective workers, BaseModel base, Path data, Optional<Path> validation, RunPlace place) {
            this.workers = workers;
            this.base = base;
            this.data = data;
            this.validation = validation;
            this.place = place;
        }

        /** The number of this worker, from 0. */
        public int rank() {
            return workers.rank();
        }

        /** The base model, which other tasks of this executor may use as well; not to be closed. */
        public BaseModel base() {
            return base;
        }

        /** The data, a file of this machine with the lines that were given. */
        public Path data() {
            return data;
        }

        /** The validation data, where some were given. */
        public Optional<Path> validation() {
            return validation;
        }

        /**
         * A trainer that shares the training with the other workers, writes where it was said, and resumes from the
         * last checkpoint there. All else is for the caller to set, but not these.
         */
        public TrainerBuilder trainer(PeftModel model) {
            return Trainer.builder(model).workers(workers).output(place.local()).start(RunStart.RESUME_OR_START)
                    .checkpointEverySteps(place.checkpointEverySteps()).keepCheckpoints(RunPlace.KEPT)
                    .listener(place.follower()).logProgress(false);
        }
    }
}
