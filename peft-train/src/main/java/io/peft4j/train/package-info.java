/**
 * Training: the trainer, its objective, optimizer, schedules, checkpoints and listeners. Open
 * {@link io.peft4j.train.Trainer} first, then {@code TrainingRun}, which is the loop, and
 * {@link io.peft4j.train.CausalLmObjective}, which is the loss. {@code RunFolder} is what a training leaves on disk,
 * {@code RunSettings} what a training that is resumed has to have in common with its beginning. Training knows neither
 * an adapter method nor a model family.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train;
