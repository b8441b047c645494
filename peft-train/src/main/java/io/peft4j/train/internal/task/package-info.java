/**
 * What is trained, how, and in which batches: open {@link io.peft4j.train.internal.task.TrainingTask} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.task;
