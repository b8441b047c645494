package io.peft4j.models.architecture;

import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;

/**
 * Makes the places of a layer once more, as those of a layer of another number, with the same weights.
 *
 * @param index the new number
 * @param from the path of the layer
 * @param to the path of its copy
 * @param slots gets the copies, each before those that it contains
 */
public record LayerCopy(int index, String from, String to, List<Slot> slots) {
    /** A layer that has places inside. */
    public interface Part extends Layer {
        /** The same layer with copies of its places. */
        Layer copy(LayerCopy copy);
    }

    /** The copy of a place and of all inside. */
    public Slot of(Slot slot) {
        int at = slots.size();
        Layer layer = slot.layer() instanceof Part part ? part.copy(this) : slot.layer();
        Slot copy = new Slot(to + slot.path().substring(from.length()), layer);
        slots.add(at, copy);
        return copy;
    }

    /** The same if there is a place. */
    public Optional<Slot> of(Optional<Slot> slot) {
        return slot.map(this::of);
    }
}
