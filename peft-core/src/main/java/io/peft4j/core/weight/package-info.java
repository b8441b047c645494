/**
 * Weights that are not trained, in the types that checkpoints hold. Open {@link io.peft4j.core.weight.BlockType} first:
 * it names the types and turns their blocks into floats.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.weight;
