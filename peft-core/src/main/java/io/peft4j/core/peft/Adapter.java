package io.peft4j.core.peft;

import io.peft4j.core.nn.PackedBatch;
import java.util.List;

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

    /**
     * Called before every pass of training or evaluation. A method that works with virtual tokens returns a batch that
     * has rows for them; all others the batch itself.
     */
    default PackedBatch prepare(PackedBatch batch) {
        return batch;
    }

    /** Frees the tensors. */
    @Override
    default void close() {
        sharedTensors().forEach(AdapterTensor::close);
        layers().forEach(layer -> layer.tensors().forEach(AdapterTensor::close));
    }

    /** An adapter that consists of layers. */
    static Adapter of(PeftConfig config, List<AdapterLayer> layers) {
        List<AdapterLayer> copy = List.copyOf(layers);
        return new Adapter() {
            @Override
            public PeftConfig config() {
                return config;
            }

            @Override
            public List<AdapterLayer> layers() {
                return copy;
            }
        };
    }
}
