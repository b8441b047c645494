package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.io.Closer;
import io.peft4j.core.nn.LayerSelection;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A model as it is now, kept so until the lease is closed: the network and the layers that run, whatever is activated,
 * swapped, deleted or closed meanwhile. What is closed refuses new leases, and frees its memory when the last one ends.
 */
@Internal(shared = true)
public final class ModelLease implements AutoCloseable {
    private final Network network;
    private final Engine engine;
    private final LayerSelection layers;
    private final List<Lifetime.Lease> held;

    /**
     * A lease.
     *
     * @param held what is kept alive; closed with the lease
     */
    public ModelLease(Network network, Engine engine, LayerSelection layers, List<Lifetime.Lease> held) {
        this.network = Objects.requireNonNull(network, "network");
        this.engine = Objects.requireNonNull(engine, "engine");
        this.layers = Objects.requireNonNull(layers, "layers");
        this.held = List.copyOf(held);
    }

    /** The network. */
    public Network network() {
        return network;
    }

    /** What passes run on. */
    public Engine engine() {
        return engine;
    }

    /** The layers that run. */
    public LayerSelection layers() {
        return layers;
    }

    /** The longest sequence that the model reads, less the room of virtual tokens. */
    public int maxPositions() {
        return network.description().maxPositions() - layers.virtualTokens();
    }

    /** The same with other layers; the memory is still kept by this lease. */
    public ModelLease withLayers(LayerSelection others) {
        return new ModelLease(network, engine, others, List.of());
    }

    /**
     * The same with other layers, which keep more things alive; this lease becomes part of the result.
     *
     * @throws io.peft4j.core.error.ClosedException when one of them is closed; this lease is closed then, too
     */
    public ModelLease with(LayerSelection others, List<Lifetime> more) {
        List<Lifetime.Lease> all = new ArrayList<>(held);
        try (Closer opened = new Closer()) {
            opened.add(this);
            more.forEach(each -> all.add(opened.add(each.lease())));
            ModelLease lease = new ModelLease(network, engine, others, all);
            opened.keep();
            return lease;
        }
    }

    @Override
    public void close() {
        Closer.closeAll(held);
    }
}
