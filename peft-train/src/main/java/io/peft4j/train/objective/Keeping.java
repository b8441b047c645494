package io.peft4j.train.objective;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.format.DataFile;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a training keeps: what the base answers to some prompts, and how firmly.
 *
 * <pre>{@code
 * Trainer.builder(model).keeping(Keeping.general(KeepingOptions.defaults())).build().train(chats);
 * }</pre>
 */
public final class Keeping {
    private static final Logger LOG = LoggerFactory.getLogger(Keeping.class);
    /** As many as are usually answered in one pass, so that the time of all follows from theirs. */
    private static final int PROBED = 32;

    private final Function<LanguageModel, List<Prompt>> prompts;
    private final Function<LanguageModel, KeptAnswers> answers;
    private final KeepingOptions options;

    private Keeping(Function<LanguageModel, List<Prompt>> prompts, Function<LanguageModel, KeptAnswers> answers,
            KeepingOptions options) {
        this.prompts = prompts;
        this.answers = answers;
        this.options = Objects.requireNonNull(options, "options");
    }

    private static Keeping asking(Function<LanguageModel, List<Prompt>> prompts, KeepingOptions options) {
        return new Keeping(prompts, base -> ask(base, prompts.apply(base), options), options);
    }

    private static KeptAnswers ask(LanguageModel base, List<Prompt> prompts, KeepingOptions options) {
        long begin = System.nanoTime();
        KeptAnswers kept = KeptAnswers.of(base, prompts, options.mostTokens());
        LOG.info("the base's answers to {}, which are kept, took {} s", Count.of(prompts.size(), "prompt"),
                Math.round((System.nanoTime() - begin) / 1e8) / 10.0);
        return kept;
    }

    /** What the base answers to the general prompts that come with the library. */
    public static Keeping general(KeepingOptions options) {
        return asking(KeptAnswers::general, options);
    }

    /** What the base answers to the prompts of a file, see {@link KeptAnswers#prompts}. */
    public static Keeping ofPrompts(DataFile file, KeepingOptions options) {
        return asking(base -> KeptAnswers.prompts(base, file), options);
    }

    /** Answers that are there. */
    @Internal
    public static Keeping of(KeptAnswers answers, KeepingOptions options) {
        return new Keeping(base -> List.of(), base -> answers, options);
    }

    /** The same with the answers of a base, so that several trainings ask it once. */
    public Keeping answeredBy(LanguageModel base) {
        return of(answers.apply(base), options);
    }

    /**
     * An objective with the penalty; asks the base of the model where that was not done.
     *
     * @param model the model that is trained
     */
    public <E> Objective<E> around(Objective<E> objective, PeftModel model) {
        return new KeepingObjective<>(objective, model, answers.apply(model.base()), options);
    }

    /** How firmly it is kept, by the names that checkpoints have. */
    public Map<String, String> settings() {
        return options.settings();
    }

    /**
     * What shows how long a training with it takes, without asking everything.
     *
     * @param examples examples of a batch
     */
    public Probe probe(LanguageModel base, int examples) {
        List<Prompt> all = prompts.apply(base);
        int some = Math.min(all.size(), Math.max(PROBED, (int) Math.ceil(options.share() * examples)));
        if (some == 0) {
            return new Probe(this, 0);
        }
        long begin = System.nanoTime();
        KeptAnswers kept = ask(base, IntStream.range(0, some).mapToObj(i -> all.get((int) ((long) i * all.size()
                / some))).toList(), options);
        return new Probe(of(kept, options), (System.nanoTime() - begin) / 1e9 * all.size() / some);
    }

    /**
     * A part of what is kept.
     *
     * @param some as many answers as a batch takes, or more
     * @param seconds what all answers would take, as foreseen from these
     */
    public record Probe(Keeping some, double seconds) {
    }
}
