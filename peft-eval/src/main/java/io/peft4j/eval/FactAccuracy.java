package io.peft4j.eval;

import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Asks a model held-out questions and counts the answers that hold the expected facts.
 *
 * <pre>{@code
 * FactReport report = FactAccuracy.of(model).on(FactQuestion.read(Path.of("heldout.jsonl")));
 * }</pre>
 *
 * <p>Questions are asked in batches of {@link GenerationOptions#batchSize()}. Immutable: each setting gives a new one.
 */
public final class FactAccuracy {
    /** Called after each batch. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} questions have been answered. */
        void onAnswers(int done, int total);
    }

    private final LanguageModel model;
    private final GenerationOptions options;
    private final Optional<AnswerCache> cache;
    private final Listener listener;

    private FactAccuracy(LanguageModel model, GenerationOptions options, Optional<AnswerCache> cache,
            Listener listener) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        this.cache = cache;
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    /** Greedy answers of at most 64 tokens, not cached. */
    public static FactAccuracy of(LanguageModel model) {
        return new FactAccuracy(model, GenerationOptions.defaults(), Optional.empty(), (done, total) -> { });
    }

    /** The same with other options of generation. */
    public FactAccuracy options(GenerationOptions newOptions) {
        return new FactAccuracy(model, newOptions, cache, listener);
    }

    /**
     * The same with answers kept in a file, see {@link AnswerCache}. Only greedy answers are kept: those that are drawn
     * (temperature above 0) are asked for anew.
     */
    public FactAccuracy cachedIn(Path file) {
        return new FactAccuracy(model, options, Optional.of(AnswerCache.open(file)), listener);
    }

    /** The same with somebody who follows. */
    public FactAccuracy listener(Listener newListener) {
        return new FactAccuracy(model, options, cache, newListener);
    }

    /**
     * Asks all questions.
     *
     * @param questions at least one
     * @throws io.peft4j.core.error.PeftException when the model has no chat template, or a question is too long for it
     * @throws java.io.UncheckedIOException when the cache cannot be written
     * @throws IllegalStateException when the listener of the options cancelled the generation
     */
    public FactReport on(List<FactQuestion> questions) {
        String[] answers = new String[questions.size()];
        boolean greedy = options.temperature() == 0;
        Optional<AnswerCache.Keys> keys = cache.filter(c -> greedy).map(c -> new AnswerCache.Keys(model, options));
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < answers.length; i++) {
            answers[i] = known(keys, questions.get(i)).orElse(null);
            if (answers[i] == null) {
                open.add(i);
            }
        }
        int done = answers.length - open.size();
        listener.onAnswers(done, answers.length);
        // What is drawn depends on a prompt's place in its call, so that drawn answers come from one call.
        int batchSize = greedy ? options.batchSize() : Math.max(1, open.size());
        for (int from = 0; from < open.size(); from += batchSize) {
            List<Integer> batch = open.subList(from, Math.min(open.size(), from + batchSize));
            ask(questions, batch, answers, keys);
            done += batch.size();
            listener.onAnswers(done, answers.length);
        }
        List<FactReport.Outcome> outcomes = new ArrayList<>();
        for (int i = 0; i < answers.length; i++) {
            FactQuestion question = questions.get(i);
            outcomes.add(new FactReport.Outcome(question, answers[i], question.isAnsweredBy(answers[i])));
        }
        return new FactReport(outcomes);
    }

    private Optional<String> known(Optional<AnswerCache.Keys> keys, FactQuestion question) {
        return keys.flatMap(k -> cache.orElseThrow().get(k.of(question.messages())));
    }

    private void ask(List<FactQuestion> questions, List<Integer> batch, String[] answers,
            Optional<AnswerCache.Keys> keys) {
        List<Prompt> prompts = batch.stream().map(i -> Prompt.chat(questions.get(i).messages())).toList();
        List<Completion> completions = model.generate(prompts, options);
        List<AnswerCache.Entry> entries = new ArrayList<>();
        for (int i = 0; i < completions.size(); i++) {
            if (completions.get(i).stopReason() == StopReason.CANCELLED) {
                throw new IllegalStateException("the generation of answers was cancelled by its listener");
            }
            int place = batch.get(i);
            FactQuestion question = questions.get(place);
            answers[place] = completions.get(i).text();
            keys.ifPresent(k -> entries.add(new AnswerCache.Entry(k.of(question.messages()),
                    question.question(), answers[place])));
        }
        cache.filter(c -> !entries.isEmpty()).ifPresent(c -> c.put(entries));
    }
}
