package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.safetensors.TensorData;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * An adapter on one base model: the layers that it puts around those of the base, and its tensors. Owns native memory.
 *
 * <p>Most methods only have layers: {@link #of}. A method with tensors that belong to no layer (a prompt, a bank of
 * vectors that layers share) or that adds rows to a batch implements this interface.
 */
public interface Adapter extends AutoCloseable {
    /** The configuration that the adapter was made from. */
    PeftConfig config();

    /** The layers, in the order of the network's places; a place may have several. */
    List<AdapterLayer> layers();

    /** Tensors that belong to no layer; their names are whole keys of the file. */
    default List<AdapterTensor> sharedTensors() {
        return List.of();
    }

    /** All tensors: those of the layers, then the shared ones. */
    default Stream<AdapterTensor> tensors() {
        return Stream.concat(layers().stream().flatMap(layer -> layer.tensors().stream()), sharedTensors().stream());
    }

    /**
     * Called before every pass of training or evaluation, and before the prompts of a generation. A method that works
     * with virtual tokens returns a batch that has rows for them; all others the batch itself.
     */
    @Internal
    default PackedBatch prepare(PackedBatch batch) {
        return batch;
    }

    /**
     * What next-token prediction learns of a batch that {@link #prepare} gave, where the adapter has virtual tokens
     * ({@link io.peft4j.core.nn.LayerSelection#learned}); default its targets.
     */
    @Internal
    default PackedBatch.Targets learned(PackedBatch prepared) {
        return prepared.targets();
    }

    /**
     * Called before the network of a pass runs. A method that computes something of the whole pass gives it to the
     * layers ({@link ForwardContext#giving}); default the pass as it is.
     *
     * @param hidden the network up to its final norm, for a pass {@linkplain ForwardContext#aside beside} this one
     */
    default ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
        return context;
    }

    /**
     * Tokens that switch the adapter on: it works on a sequence from the beginning of their last occurrence, and not at
     * all where they do not occur; in generation those of the prompt count. Empty where it works on all tokens. {@link
     * PackedBatch#invoked()} says which rows of a batch that is.
     */
    default List<Integer> invocation() {
        return List.of();
    }

    /** The number of positions that {@link #prepare} puts before every sequence. */
    default int virtualTokens() {
        return 0;
    }

    /**
     * Layers of the network, from the first, that it runs a second time in each pass, with keys and values of their own
     * ({@link ForwardContext#aside}); more than there are stands for all.
     */
    default int layersBeside() {
        return 0;
    }

    /**
     * Tensors of the file that are computed from those that are trained when the adapter is saved, by their keys. The
     * trained ones are then {@linkplain AdapterTensor#forTraining() for training} only.
     */
    @Internal
    default Map<String, TensorData> computedTensors(Engine engine) {
        return Map.of();
    }

    /** Adapters that this one is made of, which are saved in subfolders with these names; as a rule none. */
    default Map<String, Adapter> parts() {
        return Map.of();
    }

    /**
     * What is written of the adapter: as a rule all its tensors as they are. A method whose form in training is not the
     * one that others read gives that one.
     */
    @Internal
    default StoredForm stored() {
        return StoredForm.of(this);
    }

    /**
     * What the method does in a training beside its gradients.
     *
     * @param totalSteps the number of updates of the training
     */
    @Internal
    default TrainingHook training(long totalSteps) {
        return TrainingHook.NONE;
    }

    /**
     * Frees what the adapter holds in native memory beside its tensors, such as what it computed from the base. Called
     * by {@link #close}.
     */
    default void closeDerived() {
    }

    /** Frees the tensors, and what is held beside them. */
    @Override
    default void close() {
        tensors().forEach(AdapterTensor::close);
        closeDerived();
    }

    /** An adapter that consists of layers. */
    static Adapter of(PeftConfig config, List<AdapterLayer> layers) {
        return new LayeredAdapter(config, layers);
    }
}
