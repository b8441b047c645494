/**
 * Training: what applications call. Open {@link io.peft4j.train.Trainer} first, then
 * {@link io.peft4j.train.TrainingOptions}, which says what a training is asked for. Training knows neither an adapter
 * method nor a model family. Its nouns:
 * <ul>
 * <li>an {@link io.peft4j.train.objective.Objective} is what is minimized, and encodes examples for it;
 * <li>{@link io.peft4j.train.objective.EncodedExamples} are what is learned, or what a loss is measured on;
 * <li>a {@link io.peft4j.train.TrainingTask} says what is trained, how and on what;
 * <li>a {@link io.peft4j.train.TrainingRun} is one training from its preparation to the saved adapter;
 * <li>an {@link io.peft4j.train.UpdateSampler} says which batches an update sees;
 * <li>{@link io.peft4j.train.BatchLosses} are batches of an update or a measurement, with their losses;
 * <li>{@link io.peft4j.train.objective.Passes} run a batch through the model;
 * <li>{@link io.peft4j.train.Checkpoints} are what a training is resumed from.
 * </ul>
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train;
