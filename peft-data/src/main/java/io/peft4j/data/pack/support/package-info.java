/**
 * Puts token sequences into batches, in an order that depends on the seed and the epoch alone. Open {@link
 * io.peft4j.data.pack.support.BatchPlan} first; {@link io.peft4j.data.pack.support.Seeds} makes seeds that follow from
 * one.
 */
@org.jspecify.annotations.NullMarked
package io.peft4j.data.pack.support;
