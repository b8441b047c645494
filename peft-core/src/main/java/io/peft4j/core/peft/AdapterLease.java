package io.peft4j.core.peft;

import io.peft4j.core.Internal;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.method.Adapter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An adapter as it is now, kept alive until the lease is closed, whatever is swapped or deleted meanwhile: for whoever
 * runs passes in which rows of many requests meet, each with an adapter of its own.
 */
@Internal(shared = true)
public final class AdapterLease implements AutoCloseable {
    private final String name;
    private final Adapter adapter;
    private final Network network;
    private final Version version;
    private final Lifetime.Lease lease;

    /**
     * What an adapter computes.
     *
     * @param adapter its life: another one of the same name has another
     * @param trainings how many trainings of the model have begun and ended
     */
    private record Version(Lifetime adapter, long trainings) {
    }

    AdapterLease(String name, AttachedAdapter held, Network network, long trainings) {
        this.name = name;
        this.adapter = held.adapter();
        this.network = network;
        this.version = new Version(held.lifetime(), trainings);
        this.lease = held.lifetime().lease();
    }

    /** The name under which it was found. */
    public String name() {
        return name;
    }

    /**
     * Stands for what the adapter computes: equal where an adapter is the same, and no training has begun or ended
     * between the leases.
     */
    public Object version() {
        return version;
    }

    /** Why rows of other adapters cannot share a batch with its own, as a sentence; empty where they can. */
    public Optional<String> mixingObstacle() {
        return RowLayers.mixingObstacle(network, adapter);
    }

    /** The layers that run where all rows are its own. */
    public LayerSelection layers() {
        return ActiveLayers.of(Map.of(name, adapter));
    }

    /**
     * The layers that run each row of a batch through the adapter of its group, or through the base alone.
     *
     * @param groups the adapter of each group, empty for the base; at least one is not. Leases must be open while rows
     *     of their group run
     * @throws io.peft4j.core.error.ConfigurationException when one has a {@link #mixingObstacle}
     */
    public static LayerSelection byRow(List<Optional<AdapterLease>> groups) {
        Network shared = groups.stream().flatMap(Optional::stream).findFirst().orElseThrow().network;
        return RowLayers.of(shared, groups.stream().map(group -> Map.entry(
                group.map(AdapterLease::name).orElse(PeftModel.BASE), group.map(each -> each.adapter))).toList());
    }

    /** Lets the adapter go; a second time does nothing. */
    @Override
    public void close() {
        lease.close();
    }
}
