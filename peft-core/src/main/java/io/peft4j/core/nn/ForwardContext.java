package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a forward pass needs besides its input: the tape, the batch, the chosen layers, and in generation the key/value
 * cache. Made for one pass.
 */
public final class ForwardContext {
    private Tape tape;
    private PackedBatch batch;
    private LayerSelection layers;
    private Optional<KvCache> cache = Optional.empty();
    private boolean training;
    private ActivationBudget kept = ActivationBudget.unlimited();
    private DropoutSeeds dropoutSeeds;
    private AttentionStep attention = AttentionStep.BASE;
    private Optional<LayerStates> start = Optional.empty();
    /** The expert whose part of a weight runs; 0 elsewhere. */
    private int expert;
    private Optional<RouterLoss> routerLoss = Optional.empty();
    private Map<String, Variable> given = Map.of();
    private List<OtherStates> otherStates = List.of();
    /** The rows of the whole pass that this one is on; empty where it is on all. */
    private Optional<int[]> selected = Optional.empty();

    /**
     * What enters a decoder layer.
     *
     * @param layer the number of the layer
     * @param states hidden states [N, H] of the batch's rows
     */
    public record LayerStates(int layer, INDArray states) {
        /** Checks that both are there. */
        public LayerStates {
            Objects.requireNonNull(states, "states");
            if (layer < 0) {
                throw new IllegalArgumentException("no layer " + layer);
            }
        }
    }

    /**
     * Hidden states that the output layer is to predict the tokens from beside the network's own.
     *
     * @param states [N, H]
     * @param weight factor on their loss
     */
    public record OtherStates(Variable states, double weight) {
    }

    private ForwardContext(Tape tape, PackedBatch batch, LayerSelection layers, boolean training, long seed) {
        this.tape = Objects.requireNonNull(tape, "tape");
        this.batch = Objects.requireNonNull(batch, "batch");
        this.layers = Objects.requireNonNull(layers, "layers");
        this.training = training;
        this.dropoutSeeds = new DropoutSeeds(seed);
    }

    private ForwardContext(ForwardContext other) {
        tape = other.tape;
        batch = other.batch;
        layers = other.layers;
        cache = other.cache;
        training = other.training;
        kept = other.kept;
        dropoutSeeds = other.dropoutSeeds;
        attention = other.attention;
        start = other.start;
        expert = other.expert;
        routerLoss = other.routerLoss;
        given = other.given;
        otherStates = other.otherStates;
        selected = other.selected;
    }

    /** A copy with a change; nothing else changes a context. */
    private ForwardContext with(Consumer<ForwardContext> change) {
        ForwardContext copy = new ForwardContext(this);
        change.accept(copy);
        return copy;
    }

    /**
     * A pass that trains: dropout is on.
     *
     * @param seed seed of this pass's dropout
     */
    @Internal
    public static ForwardContext training(Tape tape, PackedBatch batch, LayerSelection layers, long seed) {
        return new ForwardContext(tape, layers.prepare(batch), layers, true, seed);
    }

    /** A pass that evaluates: dropout is off. */
    @Internal
    public static ForwardContext evaluation(Tape tape, PackedBatch batch, LayerSelection layers) {
        return new ForwardContext(tape, layers.prepare(batch), layers, false, 0);
    }

    /**
     * A pass of generation: keys and values go into {@code cache}, and attention reads them from there. Layers that
     * remember a sequence by a state keep it after the last row of each segment of the batch.
     */
    @Internal
    public static ForwardContext generation(Tape tape, PackedBatch batch, LayerSelection layers, KvCache cache) {
        return new ForwardContext(tape, batch, layers, false, 0).with(pass -> pass.cache = Optional.of(cache));
    }

    /**
     * The same pass, but its blocks keep about as many bytes as temporaries for the gradients: where all would take
     * more, some compute their widest products again when gradients are due, and a {@link #block} that begins when more
     * are kept runs again as a whole.
     *
     * @param bytes 0: every block runs again
     */
    public ForwardContext recomputingAbove(long bytes) {
        return with(pass -> pass.kept = new ActivationBudget(bytes));
    }

    /**
     * The same pass, begun in the middle: what lies before a decoder layer is not computed but given. For networks that
     * name their {@link io.peft4j.core.model.Network#decoderLayers() decoder layers}.
     *
     * @param given what enters the layer, as {@link io.peft4j.core.model.Network#statesBefore} computes it; the
     *     caller keeps the memory
     */
    public ForwardContext startingWith(LayerStates given) {
        if (Arrays.rows(given.states()) != batch.rows()) {
            throw new IllegalArgumentException("states of " + Arrays.rows(given.states()) + " rows for a batch of "
                    + batch.rows());
        }
        return with(pass -> pass.start = Optional.of(given));
    }

    /** Where the pass begins, if not with the embedding. */
    public Optional<LayerStates> start() {
        return start;
    }

    /**
     * The same pass on some of its rows, for what is computed row by row.
     *
     * @param rows rows of the batch, ascending
     */
    public ForwardContext onRows(int... rows) {
        return with(pass -> {
            pass.batch = batch.select(rows);
            pass.selected = Optional.of(selected.map(all -> RowMarks.take(all, rows)).orElse(rows));
            pass.start = Optional.empty();
        });
    }

    /** The same pass in one of several experts; see {@link ExpertWeight}. */
    public ForwardContext inExpert(int number) {
        return with(pass -> pass.expert = number);
    }

    /** The same pass, which collects what routers add to the loss. */
    @Internal
    public ForwardContext withRouterLoss(RouterLoss loss) {
        return with(pass -> pass.routerLoss = Optional.of(loss));
    }

    /** What routers add to the loss, where that is asked for. */
    @Internal
    public Optional<RouterLoss> routerLoss() {
        return routerLoss;
    }

    /**
     * The same pass, in which layers find a value besides their input, such as keys and values that several of them
     * read.
     *
     * @param name what they ask for it by
     * @param value of all rows, computed on this pass's tape outside of {@linkplain #block blocks}, so that it stays
     */
    public ForwardContext giving(String name, Variable value) {
        Map<String, Variable> more = new HashMap<>(given);
        more.put(name, value);
        return with(pass -> pass.given = Map.copyOf(more));
    }

    /** A value that the pass was {@linkplain #giving given}. */
    public Optional<Variable> given(String name) {
        return Optional.ofNullable(given.get(name));
    }

    /** As {@link #given}, of the rows of this pass where it is {@linkplain #onRows on some of them}. */
    public Optional<Variable> givenOfRows(String name) {
        return given(name).map(value -> selected.map(rows -> RowOps.gatherRows(tape, value, rows)).orElse(value));
    }

    /** The same pass, whose {@link io.peft4j.core.model.Pass#backward(double) loss} has that of other states, too. */
    public ForwardContext alsoPredictingFrom(Variable states, double weight) {
        List<OtherStates> all = Stream.concat(otherStates.stream(), Stream.of(new OtherStates(states, weight)))
                .filter(other -> other.weight() != 0).toList();
        return with(pass -> pass.otherStates = all);
    }

    /** What the pass was {@linkplain #alsoPredictingFrom asked to predict from}. */
    public List<OtherStates> otherStates() {
        return otherStates;
    }

    /**
     * Another pass over the same batch, of which nothing is known to this one: without dropout, and in generation with
     * {@linkplain KvCache#beside keys and values of its own}.
     *
     * @param name of its keys and values
     */
    @Internal
    public ForwardContext aside(String name, Tape other, LayerSelection others) {
        return onTape(other).with(pass -> {
            pass.layers = others;
            pass.training = false;
            pass.start = start;
            pass.cache = cache.map(own -> own.beside(name, Integer.MAX_VALUE));
        });
    }

    /**
     * As {@link #aside}, on this pass's tape and from the tokens on, through a network of the first layers of this one.
     */
    @Internal
    public ForwardContext beside(String name, int count, LayerSelection others) {
        return onTape(tape).with(pass -> {
            pass.layers = others;
            pass.cache = cache.map(own -> own.beside(name, count));
        });
    }

    /** The expert whose part of a weight runs. */
    public int expert() {
        return expert;
    }

    /**
     * The same pass for an encoder, in which each token sees all of its sequence.
     *
     * @throws IllegalArgumentException as {@link PackedBatch#seeingAll}
     */
    public ForwardContext seeingAll() {
        return on(batch.seeingAll()).with(pass -> pass.given = given);
    }

    /**
     * The same pass on what the encoder of an encoder-decoder reads.
     *
     * @throws IllegalArgumentException when the batch has no source
     */
    public ForwardContext onSource() {
        return on(batch.source().orElseThrow(() -> new IllegalArgumentException("an encoder-decoder needs a text for "
                + "its encoder with each sequence")).batch().seeingAll());
    }

    /**
     * The same pass on rows of a table that all sequences read, as one of embeddings of distances: its batch has one
     * sequence whose tokens are these rows.
     *
     * @throws ConfigurationException when sequences of the batch run through different adapters, or are of different
     *     tasks: the rows could run through one of them alone
     */
    public ForwardContext onTable(int... tableRows) {
        if (batch.rowsOfGroups().size() > 1 || batch.rowsOfTasks().size() > 1) {
            throw new ConfigurationException("this model cannot run several adapters or tasks in one batch, since "
                    + "their layers read a table shared by all sequences; run one batch for each");
        }
        return on(PackedBatch.of(List.of(TokenSequence.unsupervised(tableRows).inGroup(batch.group(0))
                .inTask(batch.task(0)))));
    }

    private ForwardContext on(PackedBatch other) {
        return with(pass -> {
            pass.batch = other;
            pass.cache = Optional.empty();
            pass.start = Optional.empty();
            pass.given = Map.of();
        });
    }

    /**
     * The same pass with something around the attention of the layers that it is given to.
     *
     * @param around gets what runs without it, and gives what runs with it
     */
    @Internal
    public ForwardContext withAttention(UnaryOperator<AttentionStep> around) {
        return with(pass -> pass.attention = around.apply(attention));
    }

    /** The same pass on another tape, for what follows the decoder; it has a sequence of dropout seeds of its own. */
    public ForwardContext onTape(Tape other) {
        return with(pass -> {
            pass.tape = other;
            pass.kept = ActivationBudget.unlimited();
            pass.dropoutSeeds = new DropoutSeeds(nextDropoutSeed());
            pass.attention = AttentionStep.BASE;
            pass.start = Optional.empty();
            pass.routerLoss = Optional.empty();
            pass.given = Map.of();
            pass.otherStates = List.of();
        });
    }

    /** Runs the attention of a layer: every attention layer computes its result by this. */
    @Internal
    public Variable attend(AttentionInputs inputs) {
        return attention.run(this, inputs);
    }

    /** The tape that records the pass. */
    public Tape tape() {
        return tape;
    }

    /** The tokens, their positions and what each may see. */
    @Internal
    public PackedBatch batch() {
        return batch;
    }

    /** The layer that runs at each place. */
    @Internal
    public LayerSelection layers() {
        return layers;
    }

    /** The key/value cache, in generation. */
    @Internal
    public Optional<KvCache> cache() {
        return cache;
    }

    /** Whether dropout is on. */
    public boolean isTraining() {
        return training;
    }

    /** The input of a layer that reads the batch itself, as an embedding reads the token ids. */
    public Variable noInput() {
        return tape.record(tape.allocateFloat(1), (output, gradient) -> {
        }, List.of());
    }

    /**
     * Runs a part of the model that is the only reader of {@code x}, for instance a decoder layer, and forgets of it
     * what no gradient needs; in a pass that {@link #recomputingAbove recomputes} it, all but its input.
     *
     * @param part a layer that does not write over {@code x}
     */
    public Variable block(Variable x, Layer part) {
        return block(x, part, 0);
    }

    /**
     * As {@link #block(Variable, Layer)}.
     *
     * @param following how many such blocks follow in the pass
     */
    public Variable block(Variable x, Layer part, int following) {
        long before = tape.arena().liveBytes();
        ActivationBudget.Keeps keeps = kept.next(before, following);
        long seed = dropoutSeeds.state;
        Variable result = switch (keeps) {
            case ALL -> tape.block(x, input -> part.forward(this, input));
            case NARROW -> tape.narrowBlock(x, input -> part.forward(this, input));
            case INPUT -> tape.checkpoint(x, input -> {
                dropoutSeeds.state = seed;
                return part.forward(this, input);
            });
        };
        kept.note(keeps, tape.arena().liveBytes() - before);
        return result;
    }

    /** A seed for the next application of dropout in this pass; the sequence depends on the pass's seed alone. */
    public long nextDropoutSeed() {
        return dropoutSeeds.next();
    }

    /** The seeds of a pass, and how far it has come with them. */
    private static final class DropoutSeeds {
        private long state;

        DropoutSeeds(long seed) {
            state = seed;
        }

        long next() {
            state = state * 6364136223846793005L + 1442695040888963407L;
            return state;
        }
    }
}
