/**
 * What a training would take: open {@link io.peft4j.train.internal.probe.TrainingProbe} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.train.internal.probe;
