package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.DataException;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.StopReason;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.TaskIds;
import io.peft4j.core.model.TextConstraint;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.Origin;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a model many questions, in batches, with answers kept in a file where that is wanted: an interrupted run resumes
 * where it stopped. Immutable: each setting gives a new one.
 */
@Internal(shared = true)
public final class Answerer {
    /** Called after each batch. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} questions have been answered. */
        void onAnswers(int done, int total);
    }

    /**
     * Answers to questions.
     *
     * @param texts one answer each, in their order
     * @param cut how many were cut at the limit of new tokens
     */
    public record Answered(List<String> texts, int cut) {
        /** Copies the list. */
        public Answered {
            texts = List.copyOf(texts);
        }
    }

    /**
     * A question with given choices.
     *
     * @param question what is asked
     * @param choices at least two
     */
    public record Choices(String question, List<String> choices) {
        /** Copies the list. */
        public Choices {
            choices = List.copyOf(choices);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Answerer.class);

    private final LanguageModel model;
    private final GenerationOptions options;
    private final Optional<AnswerCache> cache;
    private final Listener listener;

    private Answerer(LanguageModel model, GenerationOptions options, Optional<AnswerCache> cache, Listener listener) {
        this.model = Objects.requireNonNull(model, "model");
        this.options = Objects.requireNonNull(options, "options");
        if (options.answers() != 1) {
            throw new ConfigurationException("an evaluation needs one answer a question, got " + options.answers()
                    + "; remove GenerationOptions.withAnswers, or measure agreement with Comparison.draws");
        }
        this.cache = Objects.requireNonNull(cache, "cache");
        this.listener = Objects.requireNonNull(listener, "listener");
    }

    /** Greedy answers of at most 64 tokens, not cached. */
    public static Answerer of(LanguageModel model) {
        return new Answerer(model, GenerationOptions.defaults(), Optional.empty(), (done, total) -> {
        });
    }

    /**
     * The same with other options of generation.
     *
     * @throws ConfigurationException when they ask for more than one answer to each question
     */
    public Answerer options(GenerationOptions newOptions) {
        return new Answerer(model, newOptions, cache, listener);
    }

    /** The same with another limit of new tokens. */
    public Answerer withMaxNewTokens(int limit) {
        return options(options.withMaxNewTokens(limit));
    }

    /**
     * The same with answers kept in a file, see {@link AnswerCache}. Only greedy answers are kept: those that are drawn
     * (temperature above 0) are generated again.
     */
    public Answerer cachedIn(Path file) {
        return cachedIn(AnswerCache.open(file));
    }

    /** The same with answers kept in an open cache. */
    public Answerer cachedIn(AnswerCache newCache) {
        return new Answerer(model, options, Optional.of(newCache), listener);
    }

    /** The same with a listener. */
    public Answerer listener(Listener newListener) {
        return new Answerer(model, options, cache, newListener);
    }

    /** The model that is asked. */
    public LanguageModel model() {
        return model;
    }

    /** The options of generation. */
    public GenerationOptions options() {
        return options;
    }

    /** How many of the questions have a kept answer. */
    public int known(List<EvaluationItem> items) {
        Optional<AnswerCache.Keys> keys = keys();
        return (int) items.stream().filter(item -> known(keys, item).isPresent()).count();
    }

    private Optional<AnswerCache.Keys> keys() {
        return cache.filter(c -> options.sampling().isGreedy()).map(c -> new AnswerCache.Keys(model, options));
    }

    /**
     * The answers to all questions, as {@link #ask} gets them.
     *
     * @param items what is asked
     * @return one answer each, in their order
     */
    public List<String> answers(List<EvaluationItem> items) {
        return ask(items).texts();
    }

    /**
     * Asks all questions. Answers that were cut before they followed the constraint of the options are warned of.
     *
     * @param items what is asked
     * @throws io.peft4j.core.error.PeftException when the model has no chat template, or a question is too long for it
     *     or of a task that it does not have
     * @throws java.io.UncheckedIOException when the cache cannot be written
     * @throws IllegalStateException when the listener of the options cancelled the generation
     */
    public Answered ask(List<EvaluationItem> items) {
        AnswerCache.Kept[] answers = new AnswerCache.Kept[items.size()];
        boolean greedy = options.sampling().isGreedy();
        requireTasks(items);
        Optional<AnswerCache.Keys> keys = keys();
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < answers.length; i++) {
            answers[i] = known(keys, items.get(i)).orElse(null);
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
            ask(items, batch, answers, keys);
            done += batch.size();
            listener.onAnswers(done, answers.length);
        }
        List<String> texts = Stream.of(answers).map(AnswerCache.Kept::text).toList();
        options.constraint().ifPresent(constraint -> warnOf(texts, constraint));
        return new Answered(texts, (int) Stream.of(answers).filter(AnswerCache.Kept::cut).count());
    }

    /**
     * How likely each choice is after its question, among the choices of the question; kept as answers are.
     *
     * @param questions what is asked, with the choices of each
     */
    public List<double[]> probabilities(List<Choices> questions) {
        Optional<AnswerCache.Keys> keys = cache.map(c -> new AnswerCache.Keys(model, options));
        double[][] found = new double[questions.size()][];
        List<Integer> open = new ArrayList<>();
        for (int i = 0; i < found.length; i++) {
            Choices asked = questions.get(i);
            Optional<double[]> kept = keys.flatMap(k -> cache.orElseThrow().get(k.of(asked.question(),
                    asked.choices()))).map(answer -> numbers(answer.text()));
            if (kept.isPresent()) {
                found[i] = kept.get();
            } else {
                open.add(i);
            }
        }
        if (!open.isEmpty()) {
            List<MultipleChoice.Outcome> outcomes = MultipleChoice.of(model).on(open.stream().map(questions::get)
                    .map(asked -> new MultipleChoice.Question(Prompt.of(model, List.of(ChatMessage.user(
                            asked.question()))), asked.choices(), 0))
                    .toList()).outcomes();
            for (int i = 0; i < outcomes.size(); i++) {
                found[open.get(i)] = outcomes.get(i).probabilities();
            }
            keys.ifPresent(k -> cache.orElseThrow().put(open.stream().map(i -> new AnswerCache.Entry(
                    k.of(questions.get(i).question(), questions.get(i).choices()), questions.get(i).question(),
                    new AnswerCache.Kept(text(found[i]), false))).toList()));
        }
        return List.of(found);
    }

    private static String text(double... numbers) {
        return DoubleStream.of(numbers).mapToObj(Double::toString).collect(Collectors.joining(" "));
    }

    private static double[] numbers(String text) {
        return Stream.of(text.split(" ")).mapToDouble(Double::parseDouble).toArray();
    }

    private void requireTasks(List<EvaluationItem> items) {
        if (items.stream().allMatch(item -> item.task() == TokenSequence.NO_TASK)) {
            return;
        }
        TaskIds tasks = TaskIds.of(model);
        for (int i = 0; i < items.size(); i++) {
            String name = "question " + (i + 1) + " ";
            Origin place = items.get(i).origin();
            tasks.require(items.get(i).task(), problem -> place.file().equals(Origin.PROGRAM.file())
                    ? new ConfigurationException(name + problem)
                    : new DataException(Path.of(place.file()), place.line(), problem));
        }
    }

    private void warnOf(List<String> texts, TextConstraint constraint) {
        long incomplete = texts.stream().filter(text -> !constraint.allows(text)).count();
        if (incomplete > 0) {
            LOG.warn("answers cut before they conformed to {}: {} of {}; the limit is "
                    + "{}", constraint.description(), incomplete,
                    Count.of(texts.size(), "answer"), Count.of(options.maxNewTokens(), "new token"));
        }
    }

    private Optional<AnswerCache.Kept> known(Optional<AnswerCache.Keys> keys, EvaluationItem item) {
        return keys.flatMap(k -> cache.orElseThrow().get(k.of(item)));
    }

    private void ask(List<EvaluationItem> items, List<Integer> batch, AnswerCache.Kept[] answers,
            Optional<AnswerCache.Keys> keys) {
        List<Prompt> asked = batch.stream().map(i -> items.get(i).prompt(model)).toList();
        List<Completion> completions = model.generate(asked, options);
        List<AnswerCache.Entry> entries = new ArrayList<>();
        for (int i = 0; i < completions.size(); i++) {
            Completion completion = completions.get(i);
            if (completion.stopReason() == StopReason.CANCELLED) {
                throw new IllegalStateException("the generation of answers was cancelled by its listener");
            }
            int place = batch.get(i);
            EvaluationItem item = items.get(place);
            answers[place] = new AnswerCache.Kept(completion.text(), completion.stopReason() == StopReason.LENGTH);
            keys.ifPresent(k -> entries.add(new AnswerCache.Entry(k.of(item), item.question(),
                    answers[place])));
        }
        cache.filter(c -> !entries.isEmpty()).ifPresent(c -> c.put(entries));
    }
}
