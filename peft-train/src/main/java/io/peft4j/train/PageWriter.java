package io.peft4j.train;

import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.train.objective.SampledAnswer;
import io.peft4j.train.runs.RunInfo;
import io.peft4j.train.runs.TrainingPage;
import io.peft4j.train.runs.TrainingProfile;
import io.peft4j.train.runs.TrainingRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes {@code run.json} and {@code training.html} into the output folder: at the end, and before that again and
 * again, at most every 10 seconds and so seldom that it takes at most a hundredth of the time. What cannot be written
 * is a warning.
 */
final class PageWriter implements TrainingListener {
    private static final Logger LOG = LoggerFactory.getLogger(PageWriter.class);
    private static final long PAUSE_NANOS = 10_000_000_000L;
    private static final long SHARE = 100;

    private final Path folder;
    private final LongSupplier clock;
    private final List<String> warnings = new ArrayList<>();
    private final TrainingGuards guards = new TrainingGuards(warnings::add);
    private RunInfo info = RunInfo.running(Map.of(), Map.of());
    private long begin;
    private long next;
    private boolean begun;
    private boolean broken;
    private List<SampledAnswer> answers = List.of();
    private long answered;

    /** Pages of a training that writes to {@code folder}. */
    public PageWriter(Path folder) {
        this(folder, System::nanoTime);
    }

    /** The same by another clock, in nanoseconds. */
    public PageWriter(Path folder, LongSupplier clock) {
        this.folder = folder;
        this.clock = clock;
        this.begin = clock.getAsLong();
    }

    @Override
    public void onStart(TrainingPlan plan) {
        Map<String, Long> numbers = new LinkedHashMap<>();
        numbers.put("examples", (long) plan.examples());
        numbers.put("left_out", (long) plan.leftOut());
        numbers.put("tokens", plan.tokens());
        numbers.put("supervised_tokens", plan.supervisedTokens());
        numbers.put("steps_per_epoch", (long) plan.stepsPerEpoch());
        numbers.put("total_steps", plan.totalSteps());
        numbers.put("done_steps", plan.doneSteps());
        numbers.put("trainable_parameters", plan.trainableParameters());
        begun = plan.doneSteps() > 0;
        begin = clock.getAsLong();
        next = begin + PAUSE_NANOS;
        info = RunInfo.running(numbers, plan.settings());
        // It would be that of another training, or of a part of this one.
        write(() -> remove(TrainingProfile.FILE));
        write(() -> info.write(folder));
    }

    @Override
    public void onStep(StepMetrics metrics) {
        guards.onStep(metrics);
        writeWhereDue();
    }

    @Override
    public void onAnswers(long step, List<SampledAnswer> latest) {
        answers = latest;
        answered = step;
    }

    @Override
    public void onEvaluation(long step, double epoch, double evalLoss) {
        writeWhereDue();
    }

    @Override
    public void onEnd(TrainingResult result) {
        broken = false;
        result.profile().ifPresent(profile -> write(() -> profile.write(folder)));
        end(info.withState(switch (result.ending()) {
            case COMPLETE -> RunInfo.State.FINISHED;
            case CANCELLED -> RunInfo.State.STOPPED;
            case STOPPED_EARLY -> RunInfo.State.STOPPED_EARLY;
            case OUT_OF_TIME -> RunInfo.State.OUT_OF_TIME;
        }).withBestStep(result.bestStep()).withLearned(result.learned()), result.seconds());
    }

    /** A training that failed before its first figure leaves no trace that would stand in the way of the next. */
    @Override
    public void onFailure(Throwable failure) {
        if (!begun) {
            write(() -> remove(RunInfo.FILE));
            return;
        }
        String why = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
        end(info.withState(RunInfo.State.FAILED).withFailure(why), (clock.getAsLong() - begin) / 1e9);
    }

    private void end(RunInfo last, double seconds) {
        info = last.withSeconds(seconds).withPeakResidentBytes(ProcessUsage.peakResidentBytes());
        broken = false;
        writeAll();
    }

    private void writeWhereDue() {
        begun = true;
        long now = clock.getAsLong();
        if (now - next >= 0) {
            writeAll();
            long end = clock.getAsLong();
            next = end + Math.max(PAUSE_NANOS, SHARE * (end - now));
        }
    }

    private void writeAll() {
        info = info.withWarnings(warnings);
        write(() -> info.write(folder));
        write(this::writePage);
    }

    private void remove(String name) {
        try {
            Files.deleteIfExists(folder.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + folder.resolve(name), e);
        }
    }

    private void writePage() {
        new TrainingPage(TrainingRecord.of(folder, info)).withAnswers(answered, answers)
                .write(folder.resolve(TrainingPage.FILE));
    }

    /** One warning is enough until the end, when there may be room again. */
    private void write(Runnable files) {
        if (broken) {
            return;
        }
        try {
            files.run();
        } catch (RuntimeException e) {
            // Whatever it is: a page is not worth a training.
            broken = true;
            LOG.warn("the page of the training is not written, the training continues: {}", e.getMessage());
        }
    }
}
