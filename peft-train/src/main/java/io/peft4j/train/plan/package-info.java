/**
 * What to choose before a training begins: batch size, epochs, learning rate, rank and layers from the data, the model,
 * the memory and the time that there are. Open {@link io.peft4j.train.plan.Hyperparameters} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.plan;
