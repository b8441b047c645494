/**
 * Optimizers: {@link io.peft4j.train.optimizer.Optimizer} says which there are, and {@link
 * io.peft4j.train.optimizer.Updates} runs one over the parameters of a training.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.optimizer;
