/**
 * Trainings that several processes share: each computes a part of every update's examples, and the gradients are
 * summed. {@link io.peft4j.train.parallel.WorkerCollective} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.parallel;
