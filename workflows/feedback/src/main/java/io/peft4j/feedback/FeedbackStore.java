package io.peft4j.feedback;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.PreferenceExample;
import io.peft4j.feedback.Feedback.Rating;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * What an application answered, and what its users say of it:
 *
 * <pre>{@code
 * try (FeedbackStore feedback = FeedbackStore.open(Path.of("feedback.jsonl"))) {
 *     String id = feedback.answered(List.of(ChatMessage.user(question)), answer);     // the page keeps the id
 *     feedback.rate(id, Rating.BAD);
 *     feedback.correct(id, "At Larkenfell, a Trainee has a 14-day notice period.");
 *     ChatDataset better = feedback.examples();
 * }
 * }</pre>
 *
 * <p>A file to which a line is added for each of these; what returned is on the disk. It is readable by the user alone
 * who runs the application, texts go through a redaction before they are written, nothing is kept longer than
 * {@link FeedbackOptions} say, and {@link #forget} takes out what was said for one person. No name need ever be
 * given: {@code subject} is a word of the application's own, such as a number in its user table.
 *
 * <p>For any number of threads of one process.
 */
public final class FeedbackStore implements AutoCloseable {
    /** Below so many lines the file is not worth rewriting. */
    private static final int FEW_LINES = 1000;

    private final FeedbackFile file;
    private final FeedbackOptions options;
    private final Clock clock;
    private final Map<String, Feedback> kept = new LinkedHashMap<>();

    private FeedbackStore(Path path, FeedbackOptions options, Clock clock) {
        this.options = options;
        this.clock = clock;
        this.file = FeedbackFile.open(path, kept);
        tidy();
    }

    /** Opens or makes a file, with {@link FeedbackOptions#defaults}. */
    public static FeedbackStore open(Path file) {
        return open(file, FeedbackOptions.defaults());
    }

    /**
     * Opens or makes a file.
     *
     * @throws ConfigurationException when another process has it open
     * @throws io.peft4j.core.error.FileFormatException when it holds something else
     */
    public static FeedbackStore open(Path file, FeedbackOptions options) {
        return open(file, options, Clock.systemUTC());
    }

    static FeedbackStore open(Path file, FeedbackOptions options, Clock clock) {
        return new FeedbackStore(file, options, clock);
    }

    /** Keeps an answer; gives the id by which it is judged later. */
    public String answered(List<ChatMessage> asked, String answer) {
        return keep(asked, answer, Optional.empty());
    }

    /** As {@link #answered(List, String)}, for a user who can have it deleted. */
    public String answered(List<ChatMessage> asked, String answer, String subject) {
        return keep(asked, answer, Optional.of(subject));
    }

    private synchronized String keep(List<ChatMessage> asked, String answer, Optional<String> subject) {
        if (asked.isEmpty()) {
            throw new ConfigurationException("an answer without a question teaches nothing; give the conversation");
        }
        List<ChatMessage> redacted = asked.stream().map(turn -> new ChatMessage(turn.role(),
                options.redact(turn.content()), options.redact(turn.extra()))).toList();
        Feedback feedback = new Feedback("fb-" + UUID.randomUUID(), now(), redacted, options.redact(answer),
                subject, Optional.empty(), Optional.empty(), Optional.empty());
        file.appendAnswer(feedback);
        kept.put(feedback.id(), feedback);
        if (kept.size() > options.most() + options.most() / 10) {
            tidy();
        }
        return feedback.id();
    }

    /**
     * Says whether an answer is right.
     *
     * @throws ConfigurationException when the answer is not kept, or not any more
     */
    public synchronized void rate(String id, Rating rating) {
        Feedback feedback = required(id);
        Feedback rated = feedback.rated(rating, now());
        file.appendRating(rated);
        kept.put(id, rated);
    }

    /**
     * Says what the right answer is.
     *
     * @throws ConfigurationException when the answer is not kept, or not any more, or the right one is blank
     */
    public synchronized void correct(String id, String right) {
        Feedback feedback = required(id);
        if (right.isBlank()) {
            throw new ConfigurationException("the correction is blank; rate the answer as bad instead");
        }
        Feedback corrected = feedback.corrected(options.redact(right), now());
        file.appendCorrection(corrected);
        kept.put(id, corrected);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS);
    }

    private Feedback required(String id) {
        return find(id).orElseThrow(() -> new ConfigurationException("no answer '" + id + "' is kept: it was never "
                + "given, was deleted, or is older than the options keep"));
    }

    /** The answer of an id. */
    public synchronized Optional<Feedback> find(String id) {
        return Optional.ofNullable(kept.get(id));
    }

    /** Everything kept, the oldest first. */
    public synchronized List<Feedback> all() {
        return List.copyOf(kept.values());
    }

    /** Conversations with right answers: what was corrected, and what was rated good. */
    public ChatDataset examples() {
        return ChatDataset.of(all().stream().flatMap(one -> one.example().stream()).toList());
    }

    /** Corrections before what was said, for training by preferences. */
    public List<PreferenceExample> preferences() {
        return all().stream().flatMap(one -> one.preference().stream()).toList();
    }

    /**
     * Takes an answer out, of the file, too. Adapters that have learned it keep it until they are trained again.
     *
     * @return whether it was there
     */
    public synchronized boolean delete(String id) {
        return remove(one -> one.id().equals(id)) > 0;
    }

    /**
     * Takes out everything answered to a user, as {@link #delete}.
     *
     * @return how many answers
     */
    public synchronized int forget(String subject) {
        return remove(one -> one.subject().filter(subject::equals).isPresent());
    }

    /** Takes out what is older than {@link FeedbackOptions#keptFor}; opening a file does so, too. */
    public synchronized void tidy() {
        Optional<Instant> oldest = options.keptFor().map(clock.instant()::minus);
        int before = kept.size();
        oldest.ifPresent(time -> kept.values().removeIf(one -> one.time().isBefore(time)));
        drop(one -> one.judged().isEmpty());
        drop(one -> true);
        if (kept.size() < before || file.lines() > FEW_LINES && file.lines() > 3 * kept.size()) {
            file.rewrite(kept.values());
        }
    }

    private void drop(Predicate<Feedback> chosen) {
        int excess = kept.size() - options.most();
        List<String> oldest = new ArrayList<>();
        for (Feedback one : kept.values()) {
            if (oldest.size() < excess && chosen.test(one)) {
                oldest.add(one.id());
            }
        }
        oldest.forEach(kept::remove);
    }

    private int remove(Predicate<Feedback> chosen) {
        int before = kept.size();
        kept.values().removeIf(chosen);
        if (kept.size() < before) {
            file.rewrite(kept.values());
        }
        return before - kept.size();
    }

    /** Closes the file. */
    @Override
    public synchronized void close() {
        file.close();
    }
}
