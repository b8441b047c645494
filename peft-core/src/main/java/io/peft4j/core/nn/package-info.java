/**
 * Layers of a network and the batch they run on. Open {@link io.peft4j.core.nn.Layer} and {@link
 * io.peft4j.core.nn.Slot} first: a model is a tree of slots whose paths equal the checkpoint's tensor names, and an
 * adapter takes the place of a slot's layer during a forward pass. Then {@link io.peft4j.core.nn.PackedBatch}: tokens
 * without padding.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.core.nn;
