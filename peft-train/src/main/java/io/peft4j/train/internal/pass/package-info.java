/**
 * Passes of batches through a model that is trained, and what is measured in them. Open
 * {@link io.peft4j.train.internal.pass.TrainingPasses} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.pass;
