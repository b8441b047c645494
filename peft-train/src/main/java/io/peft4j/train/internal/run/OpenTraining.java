package io.peft4j.train.internal.run;

import io.peft4j.core.peft.PeftModel;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingListener;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.internal.checkpoint.OutputFolder;
import io.peft4j.train.internal.parallel.SharedCheckpoint;
import io.peft4j.train.internal.report.Listeners;
import io.peft4j.train.internal.report.PageWriter;
import io.peft4j.train.internal.report.TrainingGuards;
import io.peft4j.train.parallel.WorkerCollective;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A training with its folder and those who follow it, from its preparation to the saved adapter. */
public final class OpenTraining implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Trainer.class);

    private final TrainingRun run;
    private final Optional<RunFolder> folder;
    private final Optional<PageWriter> page;
    private final List<TrainingListener> listeners;
    private final TrainingListener told;

    private OpenTraining(TrainingRun run, Optional<RunFolder> folder, List<TrainingListener> listeners) {
        this.run = run;
        this.folder = folder;
        this.page = folder.map(place -> new PageWriter(place.path()));
        this.listeners = listeners;
        List<TrainingListener> all = new ArrayList<>(List.of(new TrainingGuards(LOG::warn)));
        folder.ifPresent(place -> all.add(place.begin(run.stepsDone())));
        page.ifPresent(all::add);
        all.addAll(listeners);
        this.told = new Listeners(all, LOG::warn);
    }

    /**
     * Opens the folder, prepares the training and locks both.
     *
     * @param workers share the training and its checkpoint
     * @param listeners the caller's
     * @param preparation prepares the training, from the checkpoint where there is one to go on from
     */
    public static OpenTraining of(PeftModel model, Optional<OutputFolder> output, WorkerCollective workers,
            List<TrainingListener> listeners, Function<SharedCheckpoint, TrainingRun> preparation) {
        Optional<RunFolder> folder = output.map(place -> RunFolder.open(model, place));
        Optional<TrainingRun> run = Optional.empty();
        boolean complete = false;
        try (SharedCheckpoint checkpoint = SharedCheckpoint.of(workers, folder.flatMap(RunFolder::resumePoint),
                folder.map(RunFolder::isFinished).orElse(false))) {
            run = Optional.of(preparation.apply(checkpoint));
            OpenTraining open = new OpenTraining(run.get(), folder, listeners);
            complete = true;
            return open;
        } finally {
            if (!complete) {
                run.ifPresent(TrainingRun::close);
                folder.ifPresent(RunFolder::close);
            }
        }
    }

    /** Its run. */
    public TrainingRun run() {
        return run;
    }

    /** Trains to the end. */
    public TrainingResult execute() {
        try {
            return run.execute(told, folder);
        } catch (RuntimeException e) {
            failed(e);
            throw e;
        }
    }

    /** Begins to train, for a caller who computes the updates. */
    void start() {
        run.start(told, folder);
    }

    /** Tells of a failure. */
    void failed(RuntimeException failure) {
        told.onFailure(failure);
    }

    /** Saves what was trained, and tells of the end. */
    public TrainingResult finish(TrainingResult result) {
        folder.ifPresent(place -> save(place, result));
        page.ifPresent(writer -> writer.onEnd(result));
        new Listeners(listeners, LOG::warn).onEnd(result);
        return result;
    }

    private void save(RunFolder place, TrainingResult result) {
        try {
            place.finish(run, result);
        } catch (RuntimeException e) {
            page.ifPresent(writer -> writer.onFailure(e));
            throw e;
        }
    }

    @Override
    public void close() {
        run.close();
        folder.ifPresent(RunFolder::close);
    }
}
