package io.peft4j.spark;

import io.peft4j.core.error.PeftException;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.spark.SparkTrainer.SparkTraining;
import io.peft4j.spark.SparkTrainer.SparkWorker;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.parallel.WorkerCollective;
import io.peft4j.train.parallel.WorkerException;
import io.peft4j.train.parallel.WorkerGroup;
import io.peft4j.train.parallel.WorkerSocket;
import java.io.IOException;
import java.io.Serializable;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.SerializableConfiguration;
import scala.collection.Iterator;
import scala.runtime.AbstractFunction1;

/** What each task of the barrier stage does. */
final class TrainingTask extends AbstractFunction1<Iterator<Integer>, Iterator<TaskOutcome>> implements Serializable {
    private static final long serialVersionUID = 1L;

    private final Settings settings;
    private final Broadcast<Data> data;
    private final SerializableConfiguration hadoop;
    private final ProgressAccumulator progress;
    private final SparkTraining training;

    /** The lines of the data; null where there are no validation data. */
    record Data(List<String> training, List<String> validation) implements Serializable {
    }

    /** What is the same for all tasks. */
    record Settings(String base, Precision precision, int threads, String output,
            int checkpointEverySteps, int localSteps, String secret) implements Serializable {
    }

    TrainingTask(Settings settings, Broadcast<Data> data, SerializableConfiguration hadoop,
            ProgressAccumulator progress, SparkTraining training) {
        this.settings = settings;
        this.data = data;
        this.hadoop = hadoop;
        this.progress = progress;
        this.training = training;
    }

    /** The same with another secret, so that no process of an earlier attempt is taken for a worker of this one. */
    TrainingTask withSecret(String secret) {
        return new TrainingTask(new Settings(settings.base(), settings.precision(), settings.threads(),
                settings.output(), settings.checkpointEverySteps(), settings.localSteps(), secret), data, hadoop,
                progress, training);
    }

    @Override
    public Iterator<TaskOutcome> apply(Iterator<Integer> ranks) {
        BarrierTaskContext context = BarrierTaskContext.get();
        int rank = context.partitionId();
        try {
            return one(new TaskOutcome(rank, train(context, rank), null));
        } catch (WorkerException e) {
            if (!e.isTold()) {
                throw e;
            }
            // Whoever said that it gives up has told Spark, or the driver.
            return one(new TaskOutcome(rank, null, e));
        } catch (PeftException e) {
            return one(new TaskOutcome(rank, null, e));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Iterator<TaskOutcome> one(TaskOutcome outcome) {
        return scala.jdk.javaapi.CollectionConverters.asScala(List.of(outcome).iterator());
    }

    private SparkTrainingResult train(BarrierTaskContext context, int rank) throws IOException {
        try (WorkerSocket socket = WorkerSocket.open(0)) {
            String host = SparkEnv.get().blockManager().blockManagerId().host();
            // Goes through the driver, and takes a second: once.
            List<InetSocketAddress> addresses = new ArrayList<>();
            for (String address : context.allGather(host + ":" + socket.port())) {
                int colon = address.lastIndexOf(':');
                addresses.add(InetSocketAddress.createUnresolved(address.substring(0, colon),
                        Integer.parseInt(address.substring(colon + 1))));
            }
            try (WorkerCollective workers = socket.join(new WorkerGroup(rank, addresses, settings.secret())
                    .withLocalSteps(settings.localSteps()));
                    RunPlace place = new RunPlace(Files.createTempDirectory("peft4j-spark"),
                            new SharedFolder(settings.output(), hadoop.value()), settings.checkpointEverySteps(),
                            progress)) {
                return train(context, workers, place);
            }
        }
    }

    private SparkTrainingResult train(BarrierTaskContext context, WorkerCollective workers, RunPlace place)
            throws IOException {
        try (SharedModels.Base base = SharedModels.base(ModelRecipe.of(settings.base())
                .withPrecision(settings.precision()).withThreads(threads(context)))) {
            if (workers.rank() == 0) {
                place.begin();
            }
            Path file = write(place, "training.jsonl", data.value().training());
            Optional<Path> held = data.value().validation() == null ? Optional.empty()
                    : Optional.of(write(place, "validation.jsonl", data.value().validation()));
            TrainingResult result = training.train(new SparkWorker(workers, base.model(), file, held, place));
            if (workers.rank() == 0) {
                place.finish();
            }
            // The stage has succeeded when the adapter lies where it belongs.
            workers.gather(new byte[0]);
            return SparkTrainingResult.of(result, workers.count(), settings.output());
        }
    }

    /** Those of all tasks of this executor, which share the model. */
    private int threads(BarrierTaskContext context) {
        String own = context.getTaskInfos()[context.partitionId()].address();
        long here = Arrays.stream(context.getTaskInfos()).filter(task -> task.address().equals(own)).count();
        return settings.threads() > 0 ? settings.threads() : Math.toIntExact(context.cpus() * here);
    }

    private static Path write(RunPlace place, String name, List<String> lines) throws IOException {
        return Files.write(place.folder().resolve(name), lines);
    }
}
