package io.peft4j.feedback;

import io.peft4j.core.engine.BackgroundLoop;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.near.QuestionText;
import io.peft4j.eval.Comparison;
import io.peft4j.eval.Promotion;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.ComparisonReport;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.feedback.FeedbackTuner.TuningRound.Outcome;
import io.peft4j.train.Cancellation;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainerBuilder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a better adapter of feedback while the present one answers:
 *
 * <pre>{@code
 * FeedbackTuner tuner = FeedbackTuner.builder(model, "hr", feedback, Path.of("versions"))
 *         .replaying(handbook).golden(questions).timeBudget(Duration.ofMinutes(30)).build();
 * System.out.println(tuner.run());     // swapped to version-0002: ship: 81 % of answers ..., or why not
 * tuner.rollBack();                    // should users not agree
 * }</pre>
 *
 * <p>A round continues training a copy of the present adapter with what was corrected or rated good, and with what it
 * has learned before. Then both are asked the feedback that is held out and the golden questions. The new one takes the
 * present one's place, without a restart, if a paired test finds it better (by F1 of words with the right answers;
 * where no feedback is held out, by the golden questions), a guard set of general questions rules out more than a small
 * loss (unless {@linkplain FeedbackTunerBuilder#withoutGuard() none is asked}), and no golden question was lost.
 * Training is work of the model's engine: answers go first.
 *
 * <p>What is held out is chosen by the question's words: whatever is asked in the same words is on the same side in
 * every round, so that nothing is tested with that was ever learned.
 */
public final class FeedbackTuner implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FeedbackTuner.class);
    private static final String CANDIDATE = "candidate";
    /** Holds when the last round began, so that a process that starts does not begin with the same round again. */
    private static final String LAST = "last-round";

    private final FeedbackTunerBuilder settings;
    private final PeftModel model;
    private final String adapter;
    private final AdapterVersions versions;
    private final Cancellation cancellation = new Cancellation();
    private final ReentrantLock rounds = new ReentrantLock();
    private Optional<BackgroundLoop> timer = Optional.empty();

    FeedbackTuner(FeedbackTunerBuilder settings) {
        this.settings = settings;
        this.model = settings.model;
        this.adapter = settings.adapter;
        this.versions = AdapterVersions.in(settings.folder);
        Path start = versions.current().orElseGet(() -> versions.save(model, adapter));
        versions.use(start, model, adapter);
    }

    /**
     * A builder of a tuner.
     *
     * @param model the model that answers; stays the caller's
     * @param adapter the name of its adapter that is made better
     * @param feedback what users say; stays the caller's
     * @param folder where versions of the adapter are kept
     * @throws ConfigurationException when the model has no such adapter
     */
    public static FeedbackTunerBuilder builder(PeftModel model, String adapter, FeedbackStore feedback, Path folder) {
        return new FeedbackTunerBuilder(model, adapter, feedback, folder);
    }

    /** The versions of the adapter. */
    public AdapterVersions versions() {
        return versions;
    }

    /**
     * One round, in this thread.
     *
     * @throws io.peft4j.core.error.PeftException when the adapter cannot be trained or compared; the present one keeps
     *     answering
     */
    public TuningRound run() {
        rounds.lock();
        try {
            return next();
        } finally {
            rounds.unlock();
        }
    }

    private TuningRound next() {
        List<Feedback> feedback = settings.feedback.all();
        HeldOut parts = HeldOut.of(feedback, settings.heldOut);
        List<EvaluationItem> heldOut = EvaluationItem.all(parts.test());
        int asked = heldOut.size() + settings.golden.size();
        if (unseen(feedback) < settings.minimum || parts.learned().isEmpty() || asked == 0) {
            return round(Outcome.WAITING, parts, asked, Optional.empty(), List.of());
        }
        Path present = versions.current().orElseThrow();
        try (PeftModel candidate = new PeftModel(model.base())) {
            candidate.loadAdapter(CANDIDATE, present);
            candidate.activate(CANDIDATE);
            Promotion.Result result = Promotion.of(model.with(adapter), candidate).heldOut(heldOut)
                    .golden(settings.golden).comparison(this::set)
                    .acceptIf(this::isBetter)
                    .run(() -> train(candidate, parts, feedback), decided -> swap(candidate, present));
            TuningRound round = round(switch (result.outcome()) {
                case PROMOTED -> Outcome.SWAPPED;
                case KEPT -> Outcome.KEPT;
                case STOPPED -> Outcome.STOPPED;
            }, parts, asked, result.report(), result.lost());
            LOG.info("the adapter {}: {}", adapter, round);
            return round;
        }
    }

    private void set(Comparison comparison) {
        comparison.generation(settings.generation).withoutLikelihood();
        settings.guard.ifPresentOrElse(comparison::guard, comparison::withoutGuard);
    }

    /** Harm that was not asked for does not count; whoever asks the guard set wants it ruled out. */
    private boolean isBetter(Verdict verdict) {
        return verdict.ships()
                || settings.guard.isEmpty() && verdict.decision() == Verdict.Decision.HARM_NOT_KNOWN;
    }

    private long unseen(List<Feedback> feedback) {
        Path last = settings.folder.resolve(LAST);
        try {
            Instant seen = Files.exists(last) ? Instant.parse(Files.readString(last).strip()) : Instant.MIN;
            return feedback.stream().filter(one -> one.right().isPresent())
                    .filter(one -> one.judged().orElseThrow().isAfter(seen)).count();
        } catch (IOException | DateTimeParseException e) {
            throw new FileFormatException(last, "does not hold the time of the last round; delete it", e);
        }
    }

    private synchronized boolean swap(PeftModel candidate, Path present) {
        if (cancellation.isRequested() || !versions.current().equals(Optional.of(present))) {
            return false;
        }
        versions.use(versions.save(candidate, CANDIDATE), model, adapter);
        return true;
    }

    private TuningRound round(Outcome outcome, HeldOut parts, int asked, Optional<ComparisonReport> report,
            List<String> lost) {
        return new TuningRound(outcome, parts.learned().size(), asked, report, lost, versions.current().orElseThrow());
    }

    private boolean train(PeftModel candidate, HeldOut parts, List<Feedback> feedback) {
        TrainerBuilder trainer = Trainer.builder(candidate).options(settings.training).cancellation(cancellation);
        settings.timeBudget.ifPresent(trainer::timeBudget);
        if (trainer.build().train(ChatDataset.of(parts.learned()).plus(settings.replayed)).cancelled()) {
            return false;
        }
        feedback.stream().flatMap(one -> one.judged().stream()).max(Instant::compareTo)
                .ifPresent(last -> AtomicFiles.writeString(settings.folder.resolve(LAST), last + "\n"));
        return true;
    }

    /**
     * Goes back to the version before the present one, without a restart. The next round begins there.
     *
     * @return the folder of the version that answers now
     * @throws ConfigurationException when there is none
     */
    public synchronized Path rollBack() {
        Path before = versions.rollBack(model, adapter);
        LOG.info("adapter {} rolled back to {}", adapter, before.getFileName());
        return before;
    }

    /**
     * From now on a round each time that this has passed since the last one, in a thread of its own.
     *
     * @throws ConfigurationException when the time is less than a millisecond, or rounds are already scheduled
     */
    public synchronized void every(Duration pause) {
        if (pause.toMillis() < 1) {
            throw new ConfigurationException("the time between two rounds must be at least 1 ms, got " + pause);
        }
        if (timer.isPresent()) {
            throw new ConfigurationException("rounds are already scheduled");
        }
        timer = Optional.of(BackgroundLoop.start("peft4j-feedback", pause, () -> {
            run();
            return true;
        }, e -> {
            LOG.warn("tuning adapter {} failed; the current version stays active", adapter, e);
            return true;
        }));
    }

    /** Stops a training that runs; the model and the feedback stay open. */
    @Override
    public void close() {
        cancellation.cancel();
        timer.ifPresent(loop -> loop.stop(Duration.ZERO));
    }

    /**
     * Feedback to learn and feedback to test with, by the words of the question.
     *
     * @param learned what is learned
     * @param test what never is
     */
    record HeldOut(List<ChatExample> learned, List<ChatExample> test) {
        private static final double VALUES = 0x1p32;

        HeldOut {
            learned = List.copyOf(learned);
            test = List.copyOf(test);
        }

        static HeldOut of(List<Feedback> feedback, double share) {
            List<ChatExample> learned = new ArrayList<>();
            List<ChatExample> test = new ArrayList<>();
            feedback.forEach(one -> one.example().ifPresent((isHeldOut(one.asked(), share) ? test : learned)::add));
            return new HeldOut(learned, test);
        }

        /** The same for the same words in any order, filling words and inflection aside, so that none leaks. */
        static boolean isHeldOut(List<ChatMessage> asked, double share) {
            String words = asked.stream().map(turn -> QuestionText.looseKey(turn.content()))
                    .collect(Collectors.joining("\n"));
            CRC32 hash = new CRC32();
            hash.update(words.getBytes(StandardCharsets.UTF_8));
            return hash.getValue() < share * VALUES;
        }
    }

    /**
     * What a round of tuning came to.
     *
     * @param outcome what was done
     * @param learned examples that were learned, feedback alone
     * @param heldOut questions that both adapters were asked, the golden ones included
     * @param comparison the present adapter against the new one, where one was trained
     * @param lost golden questions that the present adapter answers right and the new one does not
     * @param version the folder of the adapter that answers now
     */
    public record TuningRound(Outcome outcome, int learned, int heldOut, Optional<ComparisonReport> comparison,
            List<String> lost, Path version) {
        /** What was done. */
        public enum Outcome {
            /** The new adapter is better by the paired test, lost no golden question, and answers now. */
            SWAPPED,
            /** The new adapter was tested and is not better; the present one stays. */
            KEPT,
            /** There is not enough feedback yet that the last round has not seen; nothing was trained. */
            WAITING,
            /** It was stopped, or an earlier version was restored meanwhile. */
            STOPPED
        }

        /** Copies the list. */
        public TuningRound {
            lost = List.copyOf(lost);
        }

        /** In one line. */
        @Override
        public String toString() {
            return switch (outcome) {
                case WAITING ->
                    "waiting: " + Count.of(learned, "example") + " to learn, " + heldOut + " to test with; too "
                            + "few of them are new";
                case STOPPED -> "stopped";
                case KEPT ->
                    "kept the present adapter: " + (lost.isEmpty() ? verdict() : "the new one has lost the golden "
                            + "questions " + lost);
                case SWAPPED -> "swapped to " + version.getFileName() + ": " + verdict();
            };
        }

        private String verdict() {
            return comparison.map(report -> report.verdict().inOneLine()).orElse("");
        }
    }
}
