package io.peft4j.core.nn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a forward pass needs besides its input: the tape, the batch, the chosen layers, and in generation the key/value
 * cache. Made for one pass.
 */
public final class ForwardContext {
    private final Tape tape;
    private final PackedBatch batch;
    private final LayerSelection layers;
    private final Optional<KvCache> cache;
    private final boolean training;
    private final KeptMemory kept;
    private final DropoutSeeds dropoutSeeds;
    private final AttentionStep attention;
    private final Optional<LayerStates> start;
    /** The expert whose part of a weight runs; 0 elsewhere. */
    private final int expert;
    private final Optional<RouterLoss> routerLoss;

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

    private ForwardContext(Tape tape, PackedBatch batch, LayerSelection layers, Optional<KvCache> cache,
            boolean training, KeptMemory kept, DropoutSeeds dropoutSeeds, AttentionStep attention,
            Optional<LayerStates> start, int expert, Optional<RouterLoss> routerLoss) {
        this.tape = Objects.requireNonNull(tape, "tape");
        this.batch = Objects.requireNonNull(batch, "batch");
        this.layers = Objects.requireNonNull(layers, "layers");
        this.cache = cache;
        this.training = training;
        this.kept = kept;
        this.dropoutSeeds = dropoutSeeds;
        this.attention = attention;
        this.start = start;
        this.expert = expert;
        this.routerLoss = routerLoss;
    }

    /**
     * A pass that trains: dropout is on.
     *
     * @param seed seed of this pass's dropout
     */
    public static ForwardContext training(Tape tape, PackedBatch batch, LayerSelection layers, long seed) {
        return new ForwardContext(tape, layers.prepare(batch), layers, Optional.empty(), true, KeptMemory.unlimited(),
                new DropoutSeeds(seed), AttentionStep.BASE, Optional.empty(), 0, Optional.empty());
    }

    /** A pass that evaluates: dropout is off. */
    public static ForwardContext evaluation(Tape tape, PackedBatch batch, LayerSelection layers) {
        return new ForwardContext(tape, layers.prepare(batch), layers, Optional.empty(), false, KeptMemory.unlimited(),
                new DropoutSeeds(0), AttentionStep.BASE, Optional.empty(), 0, Optional.empty());
    }

    /** A pass of generation: keys and values go into {@code cache}, and attention reads them from there. */
    public static ForwardContext generation(Tape tape, PackedBatch batch, LayerSelection layers, KvCache cache) {
        return new ForwardContext(tape, batch, layers, Optional.of(cache), false, KeptMemory.unlimited(),
                new DropoutSeeds(0), AttentionStep.BASE, Optional.empty(), 0, Optional.empty());
    }

    /**
     * The same pass, but its blocks keep about as many bytes as temporaries for the gradients: where all would take
     * more, some compute their widest products again when gradients are due, and a {@link #block} that begins when more
     * are kept runs again as a whole.
     *
     * @param bytes 0: every block runs again
     */
    public ForwardContext recomputingAbove(long bytes) {
        return new ForwardContext(tape, batch, layers, cache, training, new KeptMemory(bytes), dropoutSeeds, attention,
                start, expert, routerLoss);
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
        return new ForwardContext(tape, batch, layers, cache, training, kept, dropoutSeeds, attention,
                Optional.of(given), expert, routerLoss);
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
        return new ForwardContext(tape, batch.select(rows), layers, cache, training, kept, dropoutSeeds,
                attention, Optional.empty(), expert, routerLoss);
    }

    /** The same pass in one of several experts; see {@link ExpertWeight}. */
    public ForwardContext inExpert(int number) {
        return new ForwardContext(tape, batch, layers, cache, training, kept, dropoutSeeds, attention, start, number,
                routerLoss);
    }

    /** The same pass, which collects what routers add to the loss. */
    public ForwardContext withRouterLoss(RouterLoss loss) {
        return new ForwardContext(tape, batch, layers, cache, training, kept, dropoutSeeds, attention, start, expert,
                Optional.of(loss));
    }

    /** What routers add to the loss, where that is asked for. */
    public Optional<RouterLoss> routerLoss() {
        return routerLoss;
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
        return on(batch.seeingAll());
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
     * @throws ConfigurationException when sequences of the batch run through different adapters: the rows could run
     *     through one of them alone
     */
    public ForwardContext onTable(int... tableRows) {
        int[] groups = IntStream.of(batch.groups()).distinct().toArray();
        if (groups.length > 1) {
            throw new ConfigurationException("this model cannot run several adapters in one batch: their layers also "
                    + "read a table that all sequences share; run one batch an adapter");
        }
        return on(PackedBatch.of(List.of(TokenSequence.unsupervised(tableRows)
                .inGroup(groups.length == 0 ? 0 : groups[0]))));
    }

    private ForwardContext on(PackedBatch other) {
        return new ForwardContext(tape, other, layers, Optional.empty(), training, kept, dropoutSeeds, attention,
                Optional.empty(), expert, routerLoss);
    }

    /**
     * The same pass with something around the attention of the layers that it is given to.
     *
     * @param around gets what runs without it, and gives what runs with it
     */
    public ForwardContext withAttention(UnaryOperator<AttentionStep> around) {
        return new ForwardContext(tape, batch, layers, cache, training, kept, dropoutSeeds,
                around.apply(attention), start, expert, routerLoss);
    }

    /** The same pass on another tape, for what follows the decoder; it has a sequence of dropout seeds of its own. */
    public ForwardContext onTape(Tape other) {
        return new ForwardContext(other, batch, layers, cache, training, KeptMemory.unlimited(),
                new DropoutSeeds(nextDropoutSeed()), AttentionStep.BASE, Optional.empty(), expert, Optional.empty());
    }

    /** Runs the attention of a layer: every attention layer computes its result by this. */
    public Variable attend(AttentionInputs inputs) {
        return attention.run(this, inputs);
    }

    /** The tape that records the pass. */
    public Tape tape() {
        return tape;
    }

    /** The tokens, their positions and what each may see. */
    public PackedBatch batch() {
        return batch;
    }

    /** The layer that runs at each place. */
    public LayerSelection layers() {
        return layers;
    }

    /** The key/value cache, in generation. */
    public Optional<KvCache> cache() {
        return cache;
    }

    /** Whether dropout is on. */
    public boolean isTraining() {
        return training;
    }

    /** The input of a layer that reads the batch itself, as an embedding reads the token ids. */
    public Variable noInput() {
        return tape.record(tape.allocateFloat(1), (output, gradient) -> { }, List.of());
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
        KeptMemory.Keeps keeps = kept.next(before, following);
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
