package io.peft4j.advise;

import io.peft4j.advise.Advice.AnswerMethod;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.clean.SplitRule;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.Arm;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.task.Answerer;
import io.peft4j.eval.task.ArmAnswers;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.Leakage;
import io.peft4j.train.plan.Prices;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether to fine-tune, from evidence: the base model as it is, with the best few-shot prompt, with passages retrieved
 * into its prompt, and after short trainings on a quarter, a half and all of the examples, all on the same held-out
 * items.
 *
 * <pre>{@code
 * Advice advice = FineTuningAdvisor.of(base, (examples, limit) -> {
 *     PeftModel model = base.withAdapter(config);
 *     Trainer.builder(model).build().train(examples);
 *     return model;
 * }).passages(Passages.ofFile(Path.of("handbook.md"))).on(ChatDataset.read(Path.of("chats.jsonl")));
 * System.out.println(advice.headline());
 * }</pre>
 *
 * <p>Each setting changes this advisor and returns it.
 */
public final class FineTuningAdvisor {
    /** Trains a model. */
    @FunctionalInterface
    public interface Training {
        /**
         * A model that has learned these examples; it is closed after it has answered where it can be closed.
         *
         * @param limit the time that the training may take, if there is a limit
         */
        LanguageModel train(ChatDataset examples, Optional<Duration> limit);

        /**
         * The same of rows of an objective for a head, for {@link FineTuningAdvisor#onRows}. Default: refused.
         *
         * @throws ConfigurationException when only conversations are learned
         */
        default PeftModel trainRows(List<?> rows, Optional<Duration> limit) {
            throw new ConfigurationException("this training learns conversations, and no rows for a head");
        }

        /**
         * The share of a whole training that a model has had which {@link #train} returned: below 1 where fewer epochs,
         * layers or updates were done for want of time. A training that was cut down may win, and never lose. Default:
         * 1.
         */
        default double share(LanguageModel model) {
            return 1;
        }
    }

    /** Too few examples to train on and to hold out. */
    private static final int FEWEST = 12;
    private static final int MOST_ITEMS = 60;
    private static final int FEWEST_ITEMS = 8;
    private static final double HELD_OUT = 0.25;
    private static final int[] SHOTS = {2, 4, 8};
    private static final int CHOOSING_ITEMS = 12;
    /** Of the time that there is, what answers may take; the rest is for trainings. */
    private static final double ANSWERING = 0.4;
    /** And what choosing a prompt may take. */
    private static final double CHOOSING = 0.1;
    /** How often all items are answered with nothing but the question, and with a long prompt. */
    private static final int PLAIN_ROUNDS = 4;
    private static final int PROMPTED_ROUNDS = 2;
    private static final int TRAININGS = 3;

    private final LanguageModel base;
    private final Training training;
    private Optional<Passages> passages = Optional.empty();
    private Optional<List<EvaluationItem>> heldOut = Optional.empty();
    private GenerationOptions generation = GenerationOptions.defaults();
    private Optional<Duration> budget = Optional.empty();
    private Optional<Duration> changesEvery = Optional.empty();
    private Prices prices = Prices.UNKNOWN;
    private Consumer<String> listener = text -> {
    };
    private long seed;
    private int choosing = CHOOSING_ITEMS;

    private FineTuningAdvisor(LanguageModel base, Training training) {
        this.base = Objects.requireNonNull(base, "base");
        this.training = Objects.requireNonNull(training, "training");
    }

    /** Advice on a base model; trainings are what {@code training} makes of it. */
    public static FineTuningAdvisor of(LanguageModel base, Training training) {
        return new FineTuningAdvisor(base, training);
    }

    /** Texts to retrieve from; without, the training examples. */
    public FineTuningAdvisor passages(Passages texts) {
        passages = Optional.of(texts);
        return this;
    }

    /** Items to measure on; without, a quarter of the data is held out, at most 60 examples. */
    public FineTuningAdvisor heldOut(List<EvaluationItem> items) {
        heldOut = Optional.of(List.copyOf(items));
        return this;
    }

    /** Other options of generation, for all ways. */
    public FineTuningAdvisor generation(GenerationOptions options) {
        generation = options;
        return this;
    }

    /**
     * About as long as all of it may take: fewer items, and trainings that end early. The listener gets before anything
     * else which items are asked, and where the time does not suffice how long it will take.
     */
    public FineTuningAdvisor timeBudget(Duration time) {
        budget = Optional.of(time);
        return this;
    }

    /** How often the data change, so that a training would have to be repeated. */
    public FineTuningAdvisor changesEvery(Duration time) {
        changesEvery = Optional.of(time);
        return this;
    }

    /** Prices, for what each way costs. */
    public FineTuningAdvisor prices(Prices known) {
        prices = known;
        return this;
    }

    /** Sets a listener, which gets what begins. */
    public FineTuningAdvisor listener(Consumer<String> who) {
        listener = who;
        return this;
    }

    /** The seed of what is held out and of the order in which examples are added; default 0. */
    public FineTuningAdvisor seed(long value) {
        seed = value;
        return this;
    }

    /**
     * Tries all ways and decides.
     *
     * @throws ConfigurationException when there are fewer than 12 examples
     * @throws PeftException when the model has no chat template, or what a training throws; a prompt that is too long
     *     for the model is left out and named among the reasons
     */
    public Advice on(ChatDataset data) {
        requireEnough(data.size());
        long begin = System.nanoTime();
        double share = Math.min(HELD_OUT, (double) MOST_ITEMS / data.size());
        List<ChatDataset> split = heldOut.isPresent() ? List.of(data)
                : data.split(SplitRule.ratios(1 - share, share).seed(seed));
        ChatDataset examples = split.get(0);
        List<String> further = new ArrayList<>();
        List<EvaluationItem> all = heldOut.map(given -> withoutLeaks(given, examples, further))
                .orElseGet(() -> EvaluationItem.all(split.get(1).examples()));
        List<EvaluationItem> items = affordable(all, examples, further, begin);
        Scoring scoring = new Scoring(items);
        List<Asked> ways = new ArrayList<>();
        ways.add(
                asked(Arm.plain("base", "the base model as it is", base), AnswerMethod.Kind.PROMPT, items, scoring, 0));
        Passages texts = passages.orElseGet(() -> Passages.of(examples));
        prompted("few-shot", further, () -> fewShot(examples, items, scoring)).ifPresent(ways::add);
        prompted("retrieved", further, () -> asked(texts.arm(base), AnswerMethod.Kind.PROMPT, items, scoring, 0))
                .ifPresent(ways::add);
        Arm.lookup(examples, items).map(found -> lookup(found, scoring)).ifPresent(ways::add);
        trainings(examples, items, scoring, ways, begin);
        return AdviceRules.of(ways, items, examples, changesEvery, ComparisonOptions.defaults().withSeed(seed))
                .decide(scoring.metric(), all.size(), further);
    }

    /**
     * Whether a model with a head, or one that is asked typed questions, is worth its training: beside the base and the
     * most similar training row. No prompts are tried.
     *
     * @param rows such as {@link io.peft4j.data.task.LabelledText}, at least 12
     * @param given rows to measure on; none: a quarter of the rows, at most 200
     * @throws PeftException when there are too few rows, the base model is not for such, or a training throws
     */
    public Advice onRows(List<?> rows, List<?> given) {
        requireEnough(rows.size());
        return new RowTrials(base, training, listener, budget, prices).advise(rows, given, seed, changesEvery);
    }

    private static void requireEnough(int examples) {
        if (examples < FEWEST) {
            throw new ConfigurationException("advice needs at least " + FEWEST + " examples to train on and to hold "
                    + "out; there are " + examples);
        }
    }

    /** A way, and what it answered. */
    record Asked(AnswerMethod way, ArmAnswers answers, int examples) {
    }

    /** What is trained on in the same words says nothing of any way. */
    private static List<EvaluationItem> withoutLeaks(List<EvaluationItem> items, ChatDataset examples,
            List<String> further) {
        Leakage leakage = Leakage.of(items, examples);
        if (leakage.count() == items.size()) {
            throw new ConfigurationException("all " + items.size() + " held-out items also stand in the training data");
        }
        Set<Integer> leaked = leakage.pairs().stream().map(Leakage.Pair::item).collect(Collectors.toSet());
        if (!leaked.isEmpty()) {
            further.add(leaked.size() + " of " + items.size() + " held-out items also stand in the training data; "
                    + "they were left out");
        }
        return IntStream.range(0, items.size()).filter(i -> !leaked.contains(i)).mapToObj(items::get).toList();
    }

    /** As many items as there is time for; says which are left out, and if the time is too short for the fewest. */
    private List<EvaluationItem> affordable(List<EvaluationItem> items, ChatDataset examples, List<String> further,
            long begin) {
        if (budget.isEmpty()) {
            return items;
        }
        List<EvaluationItem> some = items.subList(0, Math.min(2, items.size()));
        answers(Arm.plain("base", "", base), some.subList(0, 1));
        double plain = secondsEach(Arm.plain("base", "", base), some);
        double prompted = Math.max(plain, secondsEach(Arm.fewShot(base, examples, SHOTS[1]), some));
        double time = budget.get().toNanos() / 1e9;
        choosing = Math.min(CHOOSING_ITEMS, (int) (CHOOSING * time / (SHOTS.length * prompted)));
        double item = PLAIN_ROUNDS * plain + PROMPTED_ROUNDS * prompted;
        int most = (int) ((ANSWERING * time - choosing * SHOTS.length * prompted) / item);
        int asked = Math.min(items.size(), Math.max(FEWEST_ITEMS, most));
        double least = (System.nanoTime() - begin) / 1e9 + asked * item + choosing * SHOTS.length * prompted
                + TRAININGS * (1 + plain);
        if (least > time) {
            note(further, String.format(Locale.ROOT, "%.0f s are too short: %s and the shortest trainings take about "
                    + "%.0f s", time, Count.of(asked, "held-out item"), least));
        }
        if (asked < items.size()) {
            note(further,
                    "Asked " + asked + " of " + Count.of(items.size(), "held-out item") + ", evenly from the first "
                            + "to the last, for want of time");
        }
        return IntStream.range(0, asked).mapToObj(i -> items.get((int) ((long) i * items.size() / asked))).toList();
    }

    private void note(List<String> further, String sentence) {
        listener.accept(sentence);
        further.add(sentence);
    }

    /** Seconds of one answer; of a prompt that does not fit, none. */
    private double secondsEach(Arm arm, List<EvaluationItem> items) {
        long begin = System.nanoTime();
        try {
            answers(arm, items);
        } catch (PeftException e) {
            return 0;
        }
        return (System.nanoTime() - begin) / 1e9 / items.size();
    }

    /** What the most similar training rows answer. */
    private static Asked lookup(ArmAnswers found, Scoring scoring) {
        List<Double> scores = scoring.of(found.texts());
        return new Asked(new AnswerMethod(found.name(), found.description(), AnswerMethod.Kind.PROMPT, scores,
                Scoring.mean(scores), Scoring.interval(scores), 0, 1, 0, OptionalDouble.empty()), found, 0);
    }

    private List<String> answers(Arm arm, List<EvaluationItem> items) {
        return Answerer.of(arm.model()).options(generation).answers(arm.asking(items));
    }

    /** @param before seconds that preparing it took */
    private Asked asked(Arm arm, AnswerMethod.Kind kind, List<EvaluationItem> items, Scoring scoring, double before) {
        listener.accept("asking " + arm.name() + ": " + Count.of(items.size(), "item"));
        long begin = System.nanoTime();
        List<String> texts = answers(arm, items);
        List<Double> scores = scoring.of(texts);
        double seconds = (System.nanoTime() - begin) / 1e9;
        ArmAnswers answers = ArmAnswers.given(arm.name(), arm.description(), texts);
        return new Asked(new AnswerMethod(arm.name(), arm.description(), kind, scores, Scoring.mean(scores),
                Scoring.interval(scores), before + seconds, 1, seconds / items.size(),
                prices.ofMachine(before + seconds)), kind == AnswerMethod.Kind.PROMPT ? answers.ofPrompt() : answers,
                0);
    }

    /** A prompt may be too long for the model; the others go on. */
    private static Optional<Asked> prompted(String name, List<String> further, Supplier<Asked> way) {
        try {
            return Optional.of(way.get());
        } catch (PeftException e) {
            further.add("Not tried: " + name + ", since " + e.getMessage());
            return Optional.empty();
        }
    }

    /** The number of shots that serves training examples best which are not among the shots. */
    private Asked fewShot(ChatDataset examples, List<EvaluationItem> items, Scoring scoring) {
        long begin = System.nanoTime();
        List<ChatExample> all = examples.examples();
        int tried = Math.min(choosing, all.size() / 4);
        if (tried == 0) {
            return asked(Arm.fewShot(base, examples, Math.min(SHOTS[1], all.size())), AnswerMethod.Kind.PROMPT, items,
                    scoring, 0);
        }
        ChatDataset pool = ChatDataset.of(all.subList(tried, all.size()));
        List<EvaluationItem> tries = EvaluationItem.all(all.subList(0, tried));
        Scoring judged = new Scoring(tries);
        int best = 0;
        double highest = -1;
        PeftException tooLong = null;
        for (int shots : IntStream.of(SHOTS).filter(k -> k <= pool.size()).toArray()) {
            listener.accept("trying a prompt with " + Count.of(shots, "example"));
            try {
                double score = Scoring.mean(judged.of(answers(Arm.fewShot(base, pool, shots), tries)));
                best = score > highest ? shots : best;
                highest = Math.max(highest, score);
            } catch (PeftException e) {
                tooLong = e;
            }
        }
        if (best == 0) {
            throw tooLong;
        }
        return asked(Arm.fewShot(base, examples, best), AnswerMethod.Kind.PROMPT, items, scoring,
                (System.nanoTime() - begin) / 1e9);
    }

    private void trainings(ChatDataset examples, List<EvaluationItem> items, Scoring scoring, List<Asked> ways,
            long begin) {
        List<ChatExample> shuffled = new ArrayList<>(examples.examples());
        Collections.shuffle(shuffled, new Random(seed));
        int[] sizes = IntStream.of(examples.size() / 4, examples.size() / 2, examples.size()).distinct().toArray();
        for (int i = 0; i < sizes.length; i++) {
            int left = IntStream.range(i, sizes.length).map(k -> sizes[k]).sum();
            int size = sizes[i];
            double answering = 1e9 * (sizes.length - i) * items.size() * ways.get(0).way().secondsAnAnswer();
            Optional<Duration> limit = budget.map(all -> Duration.ofNanos(Math.max(1_000_000_000L, (long) (0.9
                    * (all.toNanos() - answering - (System.nanoTime() - begin)) * size / left))));
            ways.add(trained(ChatDataset.of(shuffled.subList(0, size)), limit, items, scoring));
        }
    }

    private Asked trained(ChatDataset examples, Optional<Duration> limit, List<EvaluationItem> items, Scoring scoring) {
        String name = "trained on " + examples.size();
        listener.accept("training on " + Count.of(examples.size(), "example"));
        long begin = System.nanoTime();
        LanguageModel model = training.train(examples, limit);
        double seconds = (System.nanoTime() - begin) / 1e9;
        double share = training.share(model);
        String cut = share < 1 ? String.format(Locale.ROOT, ", cut down to %.0f %% for time", 100 * share) : "";
        try {
            Asked asked = asked(Arm.plain(name, "trained on " + Count.of(examples.size(), "example") + cut, model),
                    AnswerMethod.Kind.TRAINING, items, scoring, seconds);
            return new Asked(asked.way().ofShare(share), asked.answers(), examples.size());
        } finally {
            close(model);
        }
    }

    private static void close(LanguageModel model) {
        if (model instanceof AutoCloseable closeable) {
            Closer.closeAll(List.of(closeable));
        }
    }
}
