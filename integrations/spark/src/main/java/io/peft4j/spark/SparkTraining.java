package io.peft4j.spark;

import io.peft4j.train.TrainingResult;
import java.io.IOException;
import java.io.Serializable;

/**
 * A training, as it would be on one machine; every worker runs it. What it refers to is sent to the executors, so it
 * must be serializable.
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
