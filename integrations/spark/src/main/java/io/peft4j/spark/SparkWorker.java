package io.peft4j.spark;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.models.BaseModel;
import io.peft4j.train.RunStart;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import io.peft4j.train.parallel.WorkerCollective;
import java.nio.file.Path;
import java.util.Optional;

/** One of the workers of a training, and what it has. */
public final class SparkWorker {
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
     * A trainer that shares the training with the other workers, writes where it was said, and resumes from the last
     * checkpoint there. All else is for the caller to set, but not these.
     */
    public TrainerBuilder trainer(PeftModel model) {
        return Trainer.builder(model).workers(workers).output(place.local()).start(RunStart.RESUME_OR_START)
                .checkpointEverySteps(place.checkpointEverySteps()).keepCheckpoints(RunPlace.KEPT)
                .listener(place.follower()).logProgress(false);
    }
}
