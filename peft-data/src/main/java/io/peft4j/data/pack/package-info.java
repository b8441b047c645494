/**
 * Puts token sequences into batches of bounded size, in an order that depends on the seed and the epoch alone. Open
 * {@link io.peft4j.data.pack.BatchPlan} and {@link io.peft4j.data.pack.BatchSampler} first.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pack;
