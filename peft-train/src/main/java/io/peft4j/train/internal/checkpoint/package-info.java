/**
 * The checkpoints of a training and the folder that they lie in. Open
 * {@link io.peft4j.train.internal.checkpoint.Checkpoints} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.checkpoint;
