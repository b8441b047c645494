package io.peft4j.train.plan;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.Count;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.UpdateRule;
import io.peft4j.train.objective.Objective;
import io.peft4j.train.optimizer.Optimizer;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * The rules of {@link Hyperparameters}:
 * <ul>
 * <li><b>Batch size</b>: 4 below 50 rows, 8 below 2,000, 16 below 20,000, else 32: with few rows, updates are scarce.
 * A forward pass holds at most some 2,048 tokens, since it is no faster with more, and what memory has room for; the
 * rest of the batch is accumulated.
 * <li><b>Epochs</b>: until a share of the rows is learned ({@link Objective#learnedShare}), or nothing improves any
 * more; {@code 45 / cbrt(rows)} of them, from 1 to 12, are usual, and
 * {@value #MOST_OF_USUAL} times as many the most there are, or fewer where the usual number is below that: of very many
 * rows each is seen a few times at most, learned or not. Objectives that cannot tell what is learned, and schedules
 * and methods that must know the end from the beginning, have as many as are usual. An objective can ask for a fewest
 * number of updates, for which there are up to {@value #FOR_UPDATES}.
 * <li><b>Learning rate</b>: {@code 5e-4 (2000 / H)^0.78} for a hidden size H: how the best rate of LoRA falls with the
 * width ("LoRA Without Regret", Thinking Machines 2025); 1.3e-3 for H = 576. Where only some layers have an adapter,
 * times the root of all layers over these, since each of them has to change more. At most 5e-3. Times what method,
 * objective, optimizer and update rule say of themselves ({@link PeftConfig#autoRateFactor}): a tenth for full
 * fine-tuning, a fortieth for preferences.
 * <li><b>Warm-up</b>: a twentieth of the updates, at most 20; none where the learning rate is given.
 * <li><b>Rank</b>: 16, 32 above 100,000 supervised tokens, 64 above a million, at most H / 4.
 * <li><b>Layers</b>: all. Where the time does not suffice, the upper two fifths, which take about two thirds of the
 * time, and then fewer epochs.
 * </ul>
 *
 * <p>Each setting changes this object and returns it. A value that is given is kept, and the others are chosen around
 * it.
 */
@Internal(shared = true)
public final class HyperparameterRules {
    /** The share of rows that is waited for where the objective is not known: that of chats. */
    private static final double LEARNED_SHARE = 0.8;
    private static final int MOST_USUAL = 12;
    private static final int MOST_OF_USUAL = 3;
    private static final int FOR_UPDATES = 24;
    private static final int TOKENS_A_PASS = 2048;
    private static final double HIGHEST_RATE = 5e-3;
    /** Values kept for the gradients of a token, in multiples of H, a layer: measured on SmolLM2-135M. */
    private static final double KEPT_WIDTHS = 10.5;
    /** Weights as they are and as kernels want them, and what is needed besides. */
    private static final double WEIGHT_COPIES = 2.5;
    /** Of the memory that there is. */
    private static final double USABLE = 0.7;
    /** The time of the upper two fifths of the layers relative to all. */
    private static final double UPPER_LAYERS_TIME = 0.65;

    private final DataFacts data;
    private final ModelDescription model;
    private OptionalInt batchSize = OptionalInt.empty();
    private OptionalInt epochs = OptionalInt.empty();
    private OptionalInt rank = OptionalInt.empty();
    private OptionalDouble learningRate = OptionalDouble.empty();
    private OptionalDouble learnedShare = OptionalDouble.empty();
    private OptionalInt firstLayer = OptionalInt.empty();
    private OptionalInt accumulation = OptionalInt.empty();
    private OptionalInt warmup = OptionalInt.empty();
    private Optional<Objective<?>> objective = Optional.empty();
    private final Map<String, Double> factors = new LinkedHashMap<>();
    private long mostUpdates = Long.MAX_VALUE;
    private long memory = ProcessUsage.memoryLimitBytes();
    private Optional<Duration> time = Optional.empty();
    private double tokensPerSecond;

    HyperparameterRules(DataFacts data, ModelDescription model) {
        this.data = Objects.requireNonNull(data, "data");
        this.model = Objects.requireNonNull(model, "model");
    }

    /** A given number of examples a forward pass. */
    public HyperparameterRules batchSize(int value) {
        batchSize = OptionalInt.of(atLeastOne("batch size", value));
        return this;
    }

    /** A given number of forward passes an update. */
    public HyperparameterRules gradientAccumulation(int value) {
        accumulation = OptionalInt.of(atLeastOne("gradient accumulation", value));
        return this;
    }

    /** A given number of epochs. */
    public HyperparameterRules epochs(int value) {
        epochs = OptionalInt.of(atLeastOne("epochs", value));
        return this;
    }

    /** A given share of the rows that is to be learned before the training ends; 0 for a fixed number of epochs. */
    public HyperparameterRules learnedShare(double value) {
        learnedShare = OptionalDouble.of(value);
        return this;
    }

    /** A given rank. */
    public HyperparameterRules rank(int value) {
        rank = OptionalInt.of(atLeastOne("rank", value));
        return this;
    }

    /** A given learning rate. */
    public HyperparameterRules learningRate(double value) {
        learningRate = OptionalDouble.of(value);
        return this;
    }

    /** A given number of updates over which the learning rate rises. */
    public HyperparameterRules warmupSteps(int value) {
        warmup = OptionalInt.of(value);
        return this;
    }

    /** The most updates, whatever the epochs are. */
    public HyperparameterRules mostUpdates(long value) {
        mostUpdates = value;
        return this;
    }

    /** What the rule's learning rate is multiplied by; default 1. */
    public HyperparameterRules learningRateMultiplier(double value) {
        if (!(value > 0) || !Double.isFinite(value)) {
            throw new ConfigurationException("the multiplier of the learning rate is " + value
                    + "; it must be above 0");
        }
        return factor("the given " + value, value);
    }

    /** What is trained; default LoRA with an alpha of twice its rank. */
    public HyperparameterRules method(PeftConfig config) {
        if (config.countsUpdates()) {
            learnedShare(0);
        }
        return factorFor(config.peftType(), config.autoRateFactor());
    }

    /** What is minimized; default the loss of the next token. */
    public HyperparameterRules objective(Objective<?> value) {
        objective = Optional.of(value);
        return factorFor(value.name(), value.autoRateFactor());
    }

    /** How gradients become updates; default AdamW, all parameters alike. */
    public HyperparameterRules updates(Optimizer optimizer, UpdateRule rule) {
        return factorFor("the optimizer", optimizer.autoRateFactor()).factorFor(rule.describe(),
                rule.autoRateFactor());
    }

    private HyperparameterRules factorFor(String what, double value) {
        return factor(String.format(Locale.ROOT, "%.2g for %s", value, what), value);
    }

    private HyperparameterRules factor(String words, double value) {
        if (value != 1) {
            factors.put(words, value);
        }
        return this;
    }

    /** A given first decoder layer with an adapter, from 0. */
    public HyperparameterRules firstLayer(int value) {
        firstLayer = OptionalInt.of(value);
        return this;
    }

    /** The memory that the process may use, in bytes; default what system and limits leave it. */
    public HyperparameterRules memoryBytes(long bytes) {
        memory = bytes;
        return this;
    }

    /**
     * The time that the training may take.
     *
     * @param limit the time
     * @param speed tokens a second at which this model trains here with adapters on all layers, above 0
     */
    public HyperparameterRules timeBudget(Duration limit, double speed) {
        if (!(speed > 0)) {
            throw new ConfigurationException("a limit of time needs the speed of training, above 0; got " + speed);
        }
        time = Optional.of(limit);
        tokensPerSecond = speed;
        return this;
    }

    private static int atLeastOne(String name, int value) {
        if (value < 1) {
            throw new ConfigurationException("the " + name + " is " + value + "; it must be at least 1");
        }
        return value;
    }

    /** Chooses what is not given. */
    public Hyperparameters choose() {
        Map<String, String> reasons = new LinkedHashMap<>();
        int wanted = wantedBatch();
        int pass = batchSize.orElseGet(() -> passSize(wanted, reasons));
        batchSize.ifPresent(given -> reasons.put("batch_size", given + ": given"));
        int accumulated = accumulation.orElseGet(() -> batchSize.isPresent() ? 1 : (wanted + pass - 1) / pass);
        if (accumulation.isPresent() || accumulated > 1) {
            reasons.put("gradient_accumulation", accumulated + (accumulation.isPresent() ? ": given"
                    : ": so that an update sees " + pass * accumulated + " of " + Count.of(data.rows(), "row")));
        }
        long batches = (data.rows() + pass - 1) / pass;
        long updatesOfEpoch = (batches + accumulated - 1) / accumulated;
        int usual = epochs.orElseGet(() -> usualEpochs(updatesOfEpoch, reasons));
        epochs.ifPresent(given -> reasons.put("epochs", given + ": given"));
        double share = learnedShare.orElse(
                epochs.isEmpty() ? objective.map(Objective::learnedShare).orElse(LEARNED_SHARE) : 0);
        int wantedEpochs = epochs.isEmpty() && share > 0 ? mostEpochs(share, usual, reasons) : usual;
        int first = firstLayer.orElseGet(() -> firstLayer(usual, reasons));
        int passes = epochs.orElseGet(() -> withinTime(wantedEpochs, first, reasons));
        long updates = Math.min(mostUpdates, updatesOfEpoch * Math.min(usual, passes));
        double rate = learningRate(model.layers() - first, reasons);
        return new Hyperparameters(pass, accumulated, passes, share, rate, warmup(updates, reasons), rank(reasons),
                first, Math.min(mostUpdates, updatesOfEpoch * passes), reasons);
    }

    private int mostEpochs(double share, int usual, Map<String, String> reasons) {
        int most = Math.min(MOST_OF_USUAL, usual) * usual;
        reasons.put("epochs",
                String.format(Locale.ROOT, "at most %d: until %.0f %% of the rows are learned, or nothing "
                        + "improves", most, 100 * share));
        return most;
    }

    private int warmup(long updates, Map<String, String> reasons) {
        if (warmup.isPresent()) {
            reasons.put("warmup_steps", warmup.getAsInt() + ": given");
            return warmup.getAsInt();
        }
        if (learningRate.isPresent()) {
            reasons.put("warmup_steps", "0: given with the learning rate");
            return 0;
        }
        int steps = (int) Math.min(20, updates / 20);
        reasons.put("warmup_steps", steps + ": a twentieth of the " + number(updates) + " updates, at most 20");
        return steps;
    }

    /** Examples an update. */
    private int wantedBatch() {
        long rows = data.rows();
        int usual = rows < 50 ? 4 : rows < 2_000 ? 8 : rows < 20_000 ? 16 : 32;
        return objective.map(what -> what.autoBatchSize(usual)).orElse(usual);
    }

    private int passSize(int wanted, Map<String, String> reasons) {
        int size = wanted;
        String reason = Count.of(data.rows(), "row") + ": " + (wanted == 4 ? "small batches, so that there are enough "
                + "updates" : "larger batches with more rows");
        int bySpeed = powerOfTwo(TOKENS_A_PASS / data.meanTokens());
        // Examples that are compared with each other must be in one pass.
        if (bySpeed < size && !objective.map(Objective::comparesExamples).orElse(false)) {
            size = bySpeed;
            reason = String.format(Locale.ROOT, "rows of %.0f tokens on average; a pass over more than some %,d is no "
                    + "faster", data.meanTokens(), TOKENS_A_PASS);
        }
        double free = USABLE * memory - WEIGHT_COPIES * weightBytes();
        int byMemory = powerOfTwo(free / bytesPerToken() / data.longest());
        if (byMemory < size && !boundByRecomputing(free)) {
            size = byMemory;
            reason = String.format(Locale.ROOT, "rows of up to %,d tokens take some %,.0f MB each, and there are some "
                    + "%,.0f MB", data.longest(), data.longest() * bytesPerToken() / 1e6, Math.max(0, free) / 1e6);
        }
        reasons.put("batch_size", size + ": " + reason);
        return size;
    }

    /** The trainer computes layers twice rather than keep more than 1.7 times the weights, or 256 MB. */
    private boolean boundByRecomputing(double free) {
        return free > Math.max(256e6, 1.7 * weightBytes());
    }

    private double weightBytes() {
        return (double) model.parameters() * Arrays.bytes(model.activationType());
    }

    private double bytesPerToken() {
        return KEPT_WIDTHS * model.hiddenSize() * model.layers() * Arrays.bytes(model.activationType());
    }

    private static int powerOfTwo(double most) {
        return most < 2 ? 1 : Integer.highestOneBit((int) Math.min(most, 1 << 20));
    }

    private int usualEpochs(long updatesOfEpoch, Map<String, String> reasons) {
        int rows = Math.toIntExact(Math.round(Math.max(1, Math.min(MOST_USUAL, 45 / Math.cbrt(data.rows())))));
        int count = (int) Math.max(1, Math.round(objective.map(Objective::autoEpochsFactor).orElse(1.0) * rows));
        int fewest = objective.map(Objective::autoFewestUpdates).orElse(0);
        int more = (int) Math.min(FOR_UPDATES, (fewest + updatesOfEpoch - 1) / updatesOfEpoch);
        reasons.put("epochs", more > count ? more + ": " + objective.orElseThrow().name() + " needs some "
                + number(fewest) + " updates, at most " + FOR_UPDATES + " passes"
                : count + ": "
                        + Count.of(data.rows(), "row") + (count == rows ? "" : ", and " + objective.orElseThrow().name()
                                + " needs fewer passes than the " + rows + " after which answers are learned"));
        return Math.max(count, more);
    }

    private double secondsOfEpoch() {
        return data.tokens() / tokensPerSecond;
    }

    private int firstLayer(int passes, Map<String, String> reasons) {
        boolean late = time.isPresent() && passes * secondsOfEpoch() > time.get().toNanos() / 1e9;
        if (late && model.layers() >= 5) {
            int first = 3 * model.layers() / 5;
            reasons.put("layers", first + " to " + (model.layers() - 1) + ": all layers would take "
                    + number(Math.round(passes * secondsOfEpoch())) + " s of the " + time.get().toSeconds()
                    + " s that there are");
            return first;
        }
        reasons.put("layers", "all: the adapter learns most with all of them" + (time.isPresent()
                ? ", and there is time" : ""));
        return 0;
    }

    private int withinTime(int wanted, int first, Map<String, String> reasons) {
        if (time.isEmpty()) {
            return wanted;
        }
        double epoch = secondsOfEpoch() * (first > 0 ? UPPER_LAYERS_TIME : 1);
        int possible = (int) Math.max(1, Math.min(wanted, time.get().toNanos() / 1e9 / epoch));
        if (possible < wanted) {
            reasons.put("epochs", String.format(Locale.ROOT, "%d: one takes %.0f s, and there are %d s (%d would be "
                    + "better)", possible, epoch, time.get().toSeconds(), wanted));
        }
        return possible;
    }

    private double learningRate(int adapted, Map<String, String> reasons) {
        if (learningRate.isPresent()) {
            reasons.put("learning_rate", learningRate.getAsDouble() + ": given");
            return learningRate.getAsDouble();
        }
        double byWidth = 5e-4 * Math.pow(2000.0 / model.hiddenSize(), 0.78);
        double byLayers = Math.sqrt((double) model.layers() / Math.max(1, Math.min(adapted, model.layers())));
        double wanted = Math.min(HIGHEST_RATE, byWidth * byLayers)
                * factors.values().stream().reduce(1.0, (a, b) -> a * b);
        double rate = new BigDecimal(Math.min(1, wanted)).round(new MathContext(2)).doubleValue();
        reasons.put("learning_rate", rate + ": hidden size " + model.hiddenSize() + "; narrower models bear more"
                + (byLayers == 1 ? "" : ", and " + adapted + " of " + model.layers() + " layers have to change more")
                + factors.keySet().stream().map(words -> ", times " + words).collect(Collectors.joining())
                + (wanted > 1 ? ", but at most 1" : ""));
        return rate;
    }

    private int rank(Map<String, String> reasons) {
        if (rank.isPresent()) {
            reasons.put("rank", rank.getAsInt() + ": given");
            return rank.getAsInt();
        }
        long learned = data.supervisedTokens();
        int wanted = learned > 1_000_000 ? 64 : learned > 100_000 ? 32 : 16;
        int most = Math.max(1, powerOfTwo(model.hiddenSize() / 4.0));
        reasons.put("rank", Math.min(wanted, most) + ": " + (most < wanted ? "a quarter of the hidden size "
                + model.hiddenSize() : number(learned) + " tokens to learn"));
        return Math.min(wanted, most);
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
