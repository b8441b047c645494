package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arena;
import io.peft4j.core.kernel.Kernels;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Records the operations of a forward pass and runs their gradients in reverse order.
 *
 * <p>Only what leads to a trainable parameter is recorded and visited: a frozen weight costs the gradient of its input
 * and never one of its own, and nothing is computed below the first adapter. The recording order is the topological
 * order, so no sort is needed. Temporaries come from an {@link Arena}; the backward pass gives them back as it goes,
 * and {@link #close()} gives back the rest. A tape that does not record keeps only what later operations need (see
 * {@link #block}).
 *
 * <p>A tape is used by one thread, for one forward pass and at most one backward pass.
 */
public final class Tape implements AutoCloseable {
    /** Computes the gradients of an operation's inputs from that of its output. */
    @FunctionalInterface
    public interface Backward {
        /**
         * Adds to the inputs' gradients.
         *
         * @param output the result of the operation
         * @param dy its gradient, to be read only
         */
        void run(Variable output, INDArray dy);
    }

    private record Node(Variable output, Backward backward, INDArray[] saved) {
    }

    private final Kernels kernels;
    private final Arena arena;
    private final DataType activationType;
    private final Runnable betweenOperations;
    private boolean recording;
    /** Whether a trainable value has come up since the recording was suspended. */
    private boolean trainableSeen;
    /** Whether the block that runs drops what {@link #wide} parts of it have computed. */
    private boolean narrow;
    /** Whether such a part runs now. */
    private boolean droppingProducts;
    private final List<Node> nodes = new ArrayList<>();
    private final List<INDArray> unrecorded = new ArrayList<>();
    /** What the blocks that run now may drop when they end. */
    private final List<Variable> recomputable = new ArrayList<>();
    /** Those of {@link #unrecorded} that the gradient of a recorded operation may read. */
    private final Set<INDArray> needed = Collections.newSetFromMap(new IdentityHashMap<>());

    private Tape(Kernels kernels, Arena arena, DataType activationType, boolean recording,
            Runnable betweenOperations) {
        this.kernels = Objects.requireNonNull(kernels, "kernels");
        this.arena = Objects.requireNonNull(arena, "arena");
        this.activationType = Objects.requireNonNull(activationType, "activationType");
        this.recording = recording;
        this.betweenOperations = Objects.requireNonNull(betweenOperations, "betweenOperations");
    }

    /**
     * A tape for training.
     *
     * @param activationType type of large activations: FLOAT or BFLOAT16
     */
    @Internal
    public static Tape recording(Kernels kernels, Arena arena, DataType activationType) {
        return recording(kernels, arena, activationType, () -> {
        });
    }

    /**
     * As {@link #recording(Kernels, Arena, DataType)}; {@code betweenOperations} runs where another computation may use
     * the kernels meanwhile.
     */
    @Internal
    public static Tape recording(Kernels kernels, Arena arena, DataType activationType, Runnable betweenOperations) {
        return new Tape(kernels, arena, activationType, true, betweenOperations);
    }

    /** A tape that records nothing, for inference. */
    @Internal
    public static Tape inference(Kernels kernels, Arena arena, DataType activationType) {
        return inference(kernels, arena, activationType, () -> {
        });
    }

    /**
     * As {@link #inference(Kernels, Arena, DataType)}; {@code betweenOperations} runs where another computation may use
     * the kernels meanwhile.
     */
    @Internal
    public static Tape inference(Kernels kernels, Arena arena, DataType activationType, Runnable betweenOperations) {
        return new Tape(kernels, arena, activationType, false, betweenOperations);
    }

    /** The kernels that the operations run on. */
    @Internal
    public Kernels kernels() {
        return kernels;
    }

    /** The memory of temporaries. */
    @Internal
    public Arena arena() {
        return arena;
    }

    /** Whether gradients are recorded. */
    public boolean isRecording() {
        return recording;
    }

    /** The type of large activations. */
    public DataType activationType() {
        return activationType;
    }

    /** An array of the activation type with undefined contents. */
    public INDArray allocate(long... shape) {
        return arena.allocate(activationType, shape);
    }

    /** A FLOAT array with undefined contents. */
    public INDArray allocateFloat(long... shape) {
        return arena.allocate(DataType.FLOAT, shape);
    }

    INDArray allocateLike(INDArray array) {
        return arena.allocate(array.dataType(), array.shape());
    }

    void free(INDArray array) {
        arena.free(array);
    }

    /** A value that needs no gradient and whose memory the caller keeps. */
    public Variable constant(INDArray value) {
        return new Variable(this, value, false, false);
    }

    /**
     * A value that the caller keeps and for which a gradient is wanted, for instance hidden states at which a pass is
     * cut in two.
     *
     * @param gradient where the gradient is added; same shape as the value
     */
    public Variable input(INDArray value, INDArray gradient) {
        trainableSeen = true;
        Variable variable = new Variable(this, value, recording, false);
        variable.seed(SharedGradient.target(this, gradient));
        return variable;
    }

    /** A trainable parameter; its gradient is added to {@link Parameter#gradient()}. */
    public Variable parameter(Parameter parameter) {
        trainableSeen = true;
        return recording ? input(parameter.value(), parameter.gradient()) : constant(parameter.value());
    }

    /**
     * Puts the result of an operation on the tape.
     *
     * @param value the result, allocated from this tape; it is freed when no longer needed
     * @param backward adds the gradients of the inputs; runs only where one of the inputs wants one
     * @param inputs what the result was computed from
     * @param saved arrays of this tape that only {@code backward} needs
     */
    public Variable record(INDArray value, Backward backward, List<Variable> inputs, INDArray... saved) {
        betweenOperations.run();
        boolean wanted = false;
        for (Variable input : inputs) {
            wanted |= recording && input.requiresGradient();
            trainableSeen |= input.requiresGradient();
        }
        Variable output = new Variable(this, value, wanted, true);
        if (wanted) {
            nodes.add(new Node(output, backward, saved));
            for (Variable input : inputs) {
                input.markRead();
                if (!input.requiresGradient() && input.ownsValue()) {
                    needed.add(input.value());
                }
            }
        } else {
            for (INDArray array : saved) {
                arena.free(array);
            }
            unrecorded.add(value);
        }
        return output;
    }

    /**
     * As {@link #record}, for a result that costs little to compute again from values that stay until its gradient has
     * run. Where a {@link #block} ends it is dropped, unless it is the block's result; whoever reads it afterwards, as
     * gradients do, has it computed again, to the same bits.
     *
     * @param computation writes the result into the array that it is given
     */
    public Variable recordRecomputable(INDArray value, Consumer<INDArray> computation, Backward backward,
            List<Variable> inputs, INDArray... saved) {
        Variable output = record(value, backward, inputs, saved);
        if (output.requiresGradient()) {
            output.recomputeBy(computation);
            recomputable.add(output);
        }
        return output;
    }

    /**
     * As {@link #record}, for a product with a frozen weight: as {@link #recordRecomputable} where the block that runs
     * is to drop it.
     */
    Variable recordProduct(INDArray value, Consumer<INDArray> computation, Backward backward, List<Variable> inputs,
            INDArray... saved) {
        return droppingProducts ? recordRecomputable(value, computation, backward, inputs, saved)
                : record(value, backward, inputs, saved);
    }

    /**
     * As {@link #record}, for an operation that wrote its result over the value of {@code overwritten}, which must not
     * be read any more.
     *
     * @throws IllegalStateException when the gradient of an earlier operation reads the overwritten value
     */
    public Variable recordInPlace(Variable overwritten, Backward backward, List<Variable> inputs, INDArray... saved) {
        if (overwritten.isRead()) {
            throw new IllegalStateException("an operation in place has overwritten a value that an earlier operation "
                    + "needs for its gradient; pass a copy of the value");
        }
        INDArray value = overwritten.value();
        boolean owned = overwritten.ownsValue();
        overwritten.giveUpValue();
        forget(value);
        Variable output = record(value, backward, inputs, saved);
        if (!owned) {
            output.giveUpValue();
            forget(output.value());
        }
        return output;
    }

    /** Takes an array off the list of those to free. By identity: equality of ND4J arrays compares their elements. */
    private boolean forget(INDArray array) {
        for (int i = unrecorded.size() - 1; i >= 0; i--) {
            if (unrecorded.get(i) == array) {
                unrecorded.remove(i);
                needed.remove(array);
                return true;
            }
        }
        return false;
    }

    /**
     * Runs a part of the model that is the only reader of {@code x}, for instance a decoder layer. Of what the part
     * computed, and of its input, whatever no gradient needs or that is cheap to compute again is freed, except the
     * result.
     */
    public Variable block(Variable x, UnaryOperator<Variable> part) {
        Variable result = run(x, part);
        freeInput(x, result);
        return result;
    }

    /**
     * As {@link #block}, but drops also the products with frozen weights that {@link #wide} parts of it compute, and
     * computes them once more when gradients read them: less memory than {@link #block}, less time than
     * {@link #checkpoint}. The loss and all gradients are the same to the last bit.
     */
    public Variable narrowBlock(Variable x, UnaryOperator<Variable> part) {
        narrow = true;
        try {
            return block(x, part);
        } finally {
            narrow = false;
        }
    }

    /** Runs a part whose result takes much memory for what it costs to compute; see {@link #narrowBlock}. */
    public Variable wide(Supplier<Variable> part) {
        droppingProducts = narrow;
        try {
            return part.get();
        } finally {
            droppingProducts = false;
        }
    }

    /**
     * As {@link #block}, but keeps the input alone, and runs the part once more when its gradients are due: memory for
     * time. The loss and all gradients are the same to the last bit.
     *
     * @param part gives the same result whenever it runs, dropout included, and does not write over {@code x}
     */
    public Variable checkpoint(Variable x, UnaryOperator<Variable> part) {
        if (!recording) {
            return block(x, part);
        }
        recording = false;
        trainableSeen = x.requiresGradient();
        Variable result;
        try {
            result = run(x, part);
        } finally {
            recording = true;
        }
        if (!trainableSeen) {
            freeInput(x, result);
            return result;
        }
        if (result == x || x.holds(result.value())) {
            throw new IllegalStateException("a recomputed part must not overwrite its input");
        }
        forget(result.value());
        if (!x.requiresGradient() && x.ownsValue()) {
            needed.add(x.value());
        }
        Variable output = new Variable(this, result.value(), true, result.ownsValue());
        nodes.add(new Node(output, (out, dy) -> {
            out.freeValue();
            run(x, part).addGradientOf(out);
        }, new INDArray[0]));
        return output;
    }

    /** Runs a part, and frees its intermediate results that are not needed. */
    private Variable run(Variable x, UnaryOperator<Variable> part) {
        int before = unrecorded.size();
        int firstRecomputable = recomputable.size();
        Variable result = part.apply(x);
        INDArray value = result.value();
        int kept = before;
        for (int i = before; i < unrecorded.size(); i++) {
            INDArray array = unrecorded.get(i);
            if (array == value || needed.contains(array)) {
                unrecorded.set(kept++, array);
            } else {
                arena.free(array);
            }
        }
        unrecorded.subList(kept, unrecorded.size()).clear();
        for (int i = recomputable.size() - 1; i >= firstRecomputable; i--) {
            if (!recomputable.get(i).holds(value)) {
                recomputable.remove(i).dropValue();
            }
        }
        return result;
    }

    private void freeInput(Variable x, Variable result) {
        if (x.ownsValue() && !x.holds(result.value()) && !needed.contains(x.value()) && forget(x.value())) {
            arena.free(x.value());
        }
    }

    /**
     * Runs the gradients, from {@code output} back to the parameters.
     *
     * @param output a result on this tape
     * @param gradient the gradient of the loss for it; the caller keeps the array, which must not change meanwhile
     * @throws IllegalStateException when nothing below {@code output} is trainable
     */
    public void backward(Variable output, INDArray gradient) {
        if (!output.requiresGradient()) {
            throw new IllegalStateException("this output has no trainable inputs: no adapter is active, the "
                    + "tape does not record, or the adapter is on unused layers");
        }
        output.seed(SharedGradient.readOnly(this, gradient));
        while (!nodes.isEmpty()) {
            Node node = nodes.remove(nodes.size() - 1);
            if (node.output().hasGradient()) {
                node.backward().run(node.output(), node.output().gradientArray());
            }
            free(node);
            betweenOperations.run();
        }
    }

    /** The number of operations whose gradients are to be run. */
    int recordedOperations() {
        return nodes.size();
    }

    private void free(Node node) {
        node.output().dropGradient();
        for (INDArray array : node.saved()) {
            arena.free(array);
        }
        node.output().freeValue();
    }

    /** Gives back all temporaries that are still held. */
    @Override
    public void close() {
        nodes.forEach(this::free);
        nodes.clear();
        unrecorded.forEach(arena::free);
        unrecorded.clear();
        recomputable.clear();
        needed.clear();
    }
}
