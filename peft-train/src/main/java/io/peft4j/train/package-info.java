/**
 * Training: what applications call. Open {@link io.peft4j.train.Trainer} first, then
 * {@link io.peft4j.train.TrainingOptions}, which is all that a training is asked for. Objectives, optimizers and rules
 * have packages of their own; {@code internal.run} has the loop, {@code internal.task} what a training that is resumed
 * has to have in common with its beginning. Training knows neither an adapter method nor a model family.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train;
