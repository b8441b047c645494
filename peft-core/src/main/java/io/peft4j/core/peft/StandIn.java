package io.peft4j.core.peft;

import java.util.Optional;

/** A layer that holds a trained copy of weights of the base layer and runs in its place; it can always be merged. */
interface StandIn extends AdapterLayer {
    @Override
    default boolean replacesBase() {
        return true;
    }

    @Override
    default Optional<String> mergeObstacle() {
        return Optional.empty();
    }
}
