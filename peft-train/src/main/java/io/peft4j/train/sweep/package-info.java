/**
 * Trains many adapters with different options and finds the best: open {@link io.peft4j.train.sweep.Sweep} first, then
 * {@link io.peft4j.train.sweep.SearchSpace}, which says what is tried.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.sweep;
